import { settingsFromEnvironment } from "./settings";
import { startReviewServer } from "./start";

/** Signals with which a container is stopped. */
const stopSignals = ["SIGTERM", "SIGINT"] as const;

/** The page's server in its container: told by the environment, ended by a signal. */
async function main(): Promise<void> {
  const settings = settingsFromEnvironment(process.env);
  const server = await startReviewServer(settings, (line) => console.log(line));
  console.log(`The reviewer's page listens on port ${settings.port}.`);
  for (const signal of stopSignals) {
    process.once(signal, () => {
      server.stop().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
