import { stringify } from "yaml";
import { WATCHDOG } from "../../alerts/monitoring.ts";
import type { Settings } from "../../config/settings.ts";
import { PORTS } from "../../contracts/monitoring.ts";
import { defined } from "../../lib/defined.ts";
import { judges, knows } from "./exporters.ts";

/** Where its files are in the container. */
const RUN = "/run/drydock";
/** Secrets of who is told, one in a file. */
const SECRETS = {
  smtp: `${RUN}/smtp-password`,
  webhook: `${RUN}/webhook`,
  slack: `${RUN}/slack`,
  discord: `${RUN}/discord`,
  telegram: `${RUN}/telegram`,
  heartbeat: `${RUN}/heartbeat`,
} as const;
export const ALERTMANAGER_FILE = `${RUN}/alertmanager.yml`;
export const ALERTMANAGER_DATA = "/data";

/** How it is started. */
export const alertmanagerCommand = {
  entrypoint: ["/bin/alertmanager"],
  command: [
    `--config.file=${ALERTMANAGER_FILE}`,
    `--storage.path=${ALERTMANAGER_DATA}`,
    // It has no others to agree with.
    "--cluster.listen-address=",
    `--web.listen-address=:${PORTS.alertmanager}`,
    "--log.level=warn",
  ],
};

/** Commands that judge another image's: what it is started with, and by its own tool its configuration. */
export function judgeAlertmanager(configuration: string): string {
  const file = "/tmp/alertmanager.yml";
  return `cat > ${file} <<'END'\n${configuration}END
${judges("/bin/amtool", "check-config", file)}${knows(alertmanagerCommand)}`;
}

/** Who is told. */
type Told = Settings["alarms"];

const KIND = '{{ if eq .Status "firing" }}alarm{{ else }}over{{ end }}';
const WORD = '{{ if eq .Status "firing" }}ALARM{{ else }}over{{ end }}';
const NAME = "{{ .GroupLabels.alertname }}";
const TITLE = `[drydock {{ .CommonLabels.stack }}] ${WORD}: ${NAME}`;
/** What is wrong, one line for each series that shows it. */
const LINES = "{{ range $index, $one := .Alerts }}{{ if $index }}\n{{ end }}{{ $one.Annotations.summary }}{{ end }}";
/**
 * The same in a payload, of which Alertmanager reads each text as YAML: "queue a: b" would be an object. It stays a
 * text where the space is one that does not break the line.
 */
const PLAIN = LINES.replace(
  "$one.Annotations.summary",
  'reReplaceAll ":[ \\t\\r\\n]" ":\\u00a0" $one.Annotations.summary',
);
const ADVICE =
  '{{ if eq .Status "firing" }}\n\n{{ .CommonAnnotations.why }}.\n' +
  "What to do: {{ .CommonAnnotations.remedy }}.\n\nSee: {{ .CommonAnnotations.command }}{{ end }}";
const TEXT = `${LINES}${ADVICE}`;
/** When it began or ended, as the notices of backups write it. */
const TIME = '.Format "2006-01-02T15:04:05.000Z07:00" }}';
const AT =
  `{{ if eq .Status "firing" }}{{ (index .Alerts 0).StartsAt${TIME}{{ else }}` +
  `{{ (index .Alerts 0).EndsAt${TIME}{{ end }}`;

/** An alert that says more than another one of the same incident is told alone. */
const INHIBITED: readonly (readonly [string, string])[] = [
  ["DatabaseDown|RedisDown", "SiteDown|ErrorRate|Slow|LaravelSilent|QueueStuck|HorizonDown|FpmSaturated"],
  ["SiteDown", "ErrorRate|Slow|LaravelSilent|FpmSaturated"],
  ["ContainerStopped|ContainerMissing|OutOfMemory", "ContainerRestarts|ContainerUnhealthy"],
  ["DiskFull", "DiskFillsUp|RedisNotPersisting|StoreCannotWrite"],
];

/** Alertmanager's configuration: one message for an incident, and one for its end. */
export function alertmanagerConfiguration(
  told: Told,
  monitoring: Pick<Settings["monitoring"], "repeat" | "heartbeat">,
): string {
  const nobody = { name: "nobody" };
  return stringify(
    {
      route: {
        receiver: "people",
        group_by: ["alertname"],
        group_wait: "10s",
        group_interval: "1m",
        repeat_interval: `${monitoring.repeat}h`,
        routes: [
          {
            receiver: monitoring.heartbeat === undefined ? nobody.name : "heartbeat",
            matchers: [`alertname = ${WATCHDOG}`],
            group_wait: "0s",
            // It looks once in a group_interval, and passes over what is not due by then: that makes five minutes.
            repeat_interval: "4m30s",
          },
          { receiver: nobody.name, matchers: ["told = elsewhere"] },
        ],
      },
      inhibit_rules: INHIBITED.map(([source, target]) => ({
        source_matchers: [`alertname =~ "${source}"`],
        target_matchers: [`alertname =~ "${target}"`],
      })),
      receivers: [
        { name: "people", ...receiversOf(told) },
        nobody,
        ...(monitoring.heartbeat === undefined ? [] : [heartbeat]),
      ],
    },
    { lineWidth: 0 },
  );
}

const heartbeat = {
  name: "heartbeat",
  webhook_configs: [
    {
      url_file: SECRETS.heartbeat,
      send_resolved: false,
      payload: { kind: "heartbeat", stack: "{{ .CommonLabels.stack }}" },
    },
  ],
};

function receiversOf({ email, webhook, slack, discord, telegram }: Told): object {
  const always = { send_resolved: true };
  return {
    ...(email === undefined ? {} : { email_configs: [{ ...always, ...mail(email) }] }),
    ...(webhook === undefined
      ? {}
      : {
          webhook_configs: [
            {
              ...always,
              url_file: SECRETS.webhook,
              timeout: "15s",
              // As the notices of backups are: one program takes both.
              payload: { kind: KIND, stack: "{{ .CommonLabels.stack }}", name: NAME, message: PLAIN, at: AT },
            },
          ],
        }),
    ...(slack === undefined
      ? {}
      : {
          slack_configs: [
            {
              ...always,
              api_url_file: SECRETS.slack,
              username: "Drydock",
              title: TITLE,
              // Alertmanager's own page can be reached by nobody.
              title_link: "",
              fallback: TITLE,
              text: TEXT,
            },
          ],
        }),
    ...(discord === undefined
      ? {}
      : { discord_configs: [{ ...always, webhook_url_file: SECRETS.discord, title: TITLE, message: TEXT }] }),
    ...(telegram === undefined
      ? {}
      : {
          telegram_configs: [
            {
              ...always,
              bot_token_file: SECRETS.telegram,
              chat_id: Number(telegram.chat),
              parse_mode: "",
              message: `${TITLE}\n${TEXT}`,
            },
          ],
        }),
  };
}

function mail({ to, from, host, port, security, username }: NonNullable<Told["email"]>): object {
  return {
    to,
    from,
    smarthost: `${host}:${port}`,
    require_tls: security === "starttls",
    force_implicit_tls: security === "tls",
    ...(username === undefined ? {} : { auth_username: username, auth_password_file: SECRETS.smtp }),
    headers: { Subject: TITLE },
    text: `${TEXT}\n\nStack: {{ .CommonLabels.stack }}\nTime: ${AT}\n`,
    html: "",
  };
}

/** Alertmanager's secrets, by their file. */
export function alertmanagerSecrets(
  { email, webhook, slack, discord, telegram }: Told,
  { heartbeat }: Pick<Settings["monitoring"], "heartbeat">,
): Readonly<Record<string, string>> {
  return defined({
    [SECRETS.smtp]: email?.password,
    [SECRETS.webhook]: webhook,
    [SECRETS.slack]: slack,
    [SECRETS.discord]: discord,
    [SECRETS.telegram]: telegram?.token,
    [SECRETS.heartbeat]: heartbeat,
  });
}
