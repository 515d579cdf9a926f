import { z } from "zod";
import { notEmpty, optional, required, text } from "../fields.ts";

const engineAddress = /^(ssh:\/\/([\w.-]+@)?[\w.:[\]-]+(\/[\w./-]+)?|unix:\/\/\/[\w./-]+|tcp:\/\/[\w.[\]:-]+:\d+)$/;

/** The Docker host and the registry. */
export const docker = z.strictObject({
  host: optional(
    text(
      "ssh://user@host, unix:///path or tcp://host:port",
      (value) => engineAddress.test(value),
      "ssh://deploy@shop.example.com",
    ),
    "The Docker engine to deploy to",
    "the local engine, or what `DOCKER_HOST` says",
  ),
  registry: optional(
    z
      .strictObject({
        address: required(
          text(
            "the host of a registry, such as registry.example.com",
            (value) => /^[\w.-]+(:\d+)?$/.test(value),
            "registry.example.com",
          ),
          "The registry's host",
        ),
        username: required(text("a user name", notEmpty), "The user who may pull"),
        password: required(text("a password or token", notEmpty), "The password or token", { secret: true }),
      })
      .meta({ expects: "an object with address, username and password" }),
    "Credentials of the registry that the images are pulled from",
    "none: the images can be pulled by everybody",
  ),
});
