import { PolicyPack } from "@pulumi/policy";
import { rules } from "./rules";

/** Run it with `pulumi preview --policy-pack policies`; README.md lists the rules and their settings. */
new PolicyPack("cdc-audit", { policies: rules, enforcementLevel: "mandatory" });
