/** Name of the policy that carries the settings which several rules share. */
export const SETTINGS_POLICY = "pack-settings";
