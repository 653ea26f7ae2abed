export function writeReport(_files: readonly string[]): void {}
