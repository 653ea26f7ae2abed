export * from "./audit-pipeline";
export * from "./audit-sink";
export * from "./aurora-postgres";
export * from "./change-capture";
export * from "./kafka-cluster";
export * from "./monitoring";
export * from "./network";
export * from "./transformer-service";
