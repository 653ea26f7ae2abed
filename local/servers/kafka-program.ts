import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Arguments that put every jar of a folder on the class path. */
export function classPath(folder: string): string[] {
  return ["-cp", `${folder}/*`];
}

/** Writes a properties file, and returns its path. */
export function writeProperties(file: string, properties: Record<string, string>): string {
  const lines = Object.entries(properties).map(([key, value]) => `${key}=${value.replaceAll("\\", "\\\\")}`);
  writeFileSync(file, lines.join("\n") + "\n");
  return file;
}

/** Writes the logging configuration into a folder, and returns its path: everything goes to standard output. */
export function writeLogging(folder: string): string {
  return writeProperties(join(folder, "log4j.properties"), {
    "log4j.rootLogger": "INFO, stdout",
    "log4j.appender.stdout": "org.apache.log4j.ConsoleAppender",
    "log4j.appender.stdout.layout": "org.apache.log4j.PatternLayout",
    "log4j.appender.stdout.layout.ConversionPattern": "%d{ISO8601} %-5p %m (%c{1})%n",
    "log4j.logger.org.apache.kafka.clients": "WARN",
    "log4j.logger.org.apache.kafka.common.utils.AppInfoParser": "WARN",
  });
}
