import { expect, it } from "vitest";
import { MavenProgress } from "../../../local/machine/maven-progress";

it("tells from Maven's output what is built and fetched, and how far that is", () => {
  const progress = new MavenProgress();
  const read = (line: string) => [progress.read(line), progress.text];

  expect(read("[INFO] Scanning for projects...")).toEqual([false, ""]);
  expect(read("Downloading from central: https://repo.example/x/spring-boot-4.1.2.pom")).toEqual([
    true,
    "fetched 0 files, 0 MB, now spring-boot-4.1.2.pom",
  ]);
  read("Downloaded from central: https://repo.example/x/spring-boot-4.1.2.pom (800 kB at 1.2 MB/s)");
  read("Downloaded from central: https://repo.example/x/rocksdbjni-9.jar (63 MB at 10 MB/s)");
  expect(read("[INFO] Building cdc-audit transformer 0.1.0                            [3/7]")).toEqual([
    true,
    "building cdc-audit transformer (3/7); fetched 2 files, 64 MB, now spring-boot-4.1.2.pom",
  ]);
});
