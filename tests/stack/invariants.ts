import { rulesHaveCounterparts, portsAreOpen, arnsResolve, nothingBeforeItsTime } from "./invariants/connections";
import { topicsExist, sameAsLocally, requestsAreRead } from "./invariants/contract";
import type { Invariant } from "./invariants/invariant";
import {
  childrenNamedAfterParents,
  everythingTagged,
  logsExpire,
  namesUnique,
  noLeftovers,
} from "./invariants/names-and-lifecycle";
import {
  nothingOpenToTheWorld,
  brokersArePrivate,
  noWildcardPermissions,
  secretsStaySecret,
  passwordsAreSecrets,
  encryptedWithOwnKeys,
} from "./invariants/security";
import { nothingAsked, everyTypeDescribed, inputsFitServiceModels } from "./invariants/service-models";

export * from "./invariants/invariant";
export * from "./invariants/security";
export * from "./invariants/names-and-lifecycle";
export * from "./invariants/operator-requests";
export * from "./invariants/connections";
export * from "./invariants/contract";
export * from "./invariants/service-models";

/** What holds for every stack. */
export const invariants: readonly Invariant[] = [
  childrenNamedAfterParents,
  everythingTagged,
  nothingOpenToTheWorld,
  brokersArePrivate,
  noWildcardPermissions,
  secretsStaySecret,
  passwordsAreSecrets,
  logsExpire,
  encryptedWithOwnKeys,
  rulesHaveCounterparts,
  portsAreOpen,
  topicsExist,
  arnsResolve,
  nothingAsked,
  sameAsLocally,
  requestsAreRead,
  nothingBeforeItsTime,
  everyTypeDescribed,
  inputsFitServiceModels,
  namesUnique,
  noLeftovers,
];
