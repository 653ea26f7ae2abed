export { type Actor, type ActorLike, type ActorSource, currentActor, type Nobody, runAs } from "./actor";
export { withActorsOnClient } from "./client";
export { pgWithActors, withActors } from "./pool";
export { asCarried, carryActor, runCarried } from "./carried";
export { sqlWithActors } from "./postgres-js";
export { expressActor, fastifyActor, honoActor } from "./middleware";
