import type { Policies } from "@pulumi/policy";
import { loginBeforeThePage, nothingOpenToTheWorld, nothingPublic } from "./access";
import { captureLosesNothing } from "./change-capture";
import { encryptedWithOwnKey, kafkaKnowsItsClients } from "./encryption";
import { kafkaKeepsRecords, publicAccessEnds } from "./kafka";
import { dataProtectedInProduction, imagesByDigest, logsExpire } from "./operations";
import { noWildcardPermissions } from "./permissions";

/** Every rule of the pack. */
export const rules: Policies = [
  nothingOpenToTheWorld,
  nothingPublic,
  loginBeforeThePage,
  publicAccessEnds,
  encryptedWithOwnKey,
  kafkaKnowsItsClients,
  noWildcardPermissions,
  kafkaKeepsRecords,
  captureLosesNothing,
  dataProtectedInProduction,
  logsExpire,
  imagesByDigest,
];
