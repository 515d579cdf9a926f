import { z } from "zod";
import { preset, required, text } from "../fields.ts";

/** A path on the site: nothing in it ends a word or a line of a configuration, or begins a variable there. */
export const isSitePath = (value: string): boolean => /^\/([\w~+@-][\w.~+@-]*(\/[\w~+@-][\w.~+@-]*)*)?$/.test(value);

/** The page that visitors get in maintenance mode. */
export const MAINTENANCE_PAGE = "/drydock-maintenance.html";

const target = () =>
  text(
    "a path, or an address with https://",
    (value) => /^(\/|https?:\/\/[\w.:-]+(\/|$))[\w./~%+@?&=#-]*$/.test(value),
    "/new",
  );

const redirect = z.strictObject({
  to: required(target(), "Where it leads: a path, or an address with https://"),
  status: preset(
    z
      .preprocess((value) => (typeof value === "number" ? String(value) : value), z.enum(["301", "308"]))
      .meta({ expects: "301 or 308" }),
    "308",
    "308 has browsers send a form again as it was; 301 is what old clients know",
  ),
});

/** Paths that lead elsewhere, by path; a text is where, with 308. */
export const redirects = () =>
  z
    .record(
      z.string().refine(isSitePath),
      z
        .preprocess((value) => (typeof value === "string" ? { to: value } : value), redirect)
        .meta({
          expects: "where it leads, such as /new, or an object with to and status",
        }),
    )
    .meta({ expects: "redirects by path, such as /old: /new, or /old: {to: /new, status: 301}" });
