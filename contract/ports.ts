/** Port of PostgreSQL where nobody says otherwise. */
export const postgresPort = 5432;

/** Ports that MSK's brokers listen on, by who may connect; all with TLS. */
export const brokerPorts = {
  /** Users with a password: DMS. */
  scram: 9096,
  /** IAM clients in the VPC. */
  iam: 9098,
  /** IAM clients on the internet, while public access is open. */
  publicIam: 9198,
} as const;
