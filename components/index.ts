export * from "./aurora-postgres";
export * from "./kafka-cluster";
export * from "./network";
