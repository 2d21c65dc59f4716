/**
 * A name as one segment of a path. Replaces characters that would make a folder, and a name that
 * would leave the root.
 */
export function pathSegment(name: string): string {
  // oxlint-disable-next-line no-control-regex
  const safe = name.replaceAll(/[/\\\u0000-\u001f]/g, '_');
  return /^\.*$/.test(safe) ? `_${safe}` : safe;
}
