import { PolicyPack } from "@pulumi/policy";
import { policiesOf } from "./adapter.ts";
import { catalogue } from "./catalogue.ts";
import { listenForFacts } from "./facts.ts";

new PolicyPack("drydock", {
  description: "Rules for running Laravel on Docker: every one stands for an incident.",
  policies: policiesOf(catalogue, listenForFacts(process.env)),
});
