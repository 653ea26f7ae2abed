const units: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 };

/** What Maven's output tells of how far a build is. */
export class MavenProgress {
  private files = 0;
  private bytes = 0;
  private fetching: string | undefined;
  private module: string | undefined;
  private place = "";

  /** Reads a line of Maven's output; false when it says nothing new. */
  read(line: string): boolean {
    const [, name, place] = /^\[INFO\] Building (.+?) \S+ +\[(\d+\/\d+)\]$/.exec(line) ?? [];
    if (name !== undefined && place !== undefined) {
      this.module = name;
      this.place = place;
      return true;
    }
    const [, begun] = /^(?:\[INFO\] )?Downloading from \S+: \S*\/([^/]+)$/.exec(line) ?? [];
    if (begun !== undefined) {
      this.fetching = begun;
      return true;
    }
    const [, number, unit = ""] = /^(?:\[INFO\] )?Downloaded from \S+: \S+ \(([\d.]+) (k?M?G?B)\b/.exec(line) ?? [];
    if (number === undefined) return false;
    this.files += 1;
    this.bytes += Number(number) * (units[unit] ?? 1);
    return true;
  }

  /** How far it is: `building cdc-audit transformer (3/7); fetched 214 files, 87 MB, now kafka-clients-4.2.2.jar`. */
  get text(): string {
    const building = this.module === undefined ? [] : [`building ${this.module} (${this.place})`];
    const fetched =
      this.files === 0 && this.fetching === undefined
        ? []
        : [
            `fetched ${this.files} files, ${Math.round(this.bytes / 1e6)} MB${this.fetching ? `, now ${this.fetching}` : ""}`,
          ];
    return [...building, ...fetched].join("; ");
  }
}
