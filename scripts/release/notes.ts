/** The section of a version of a changelog: what the release says of itself. */
export function notesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => text.split(/[\s(]/, 1)[0] === version);
  if (section === undefined) throw new Error(`CHANGELOG.md says nothing of ${version}`);
  const notes = section.slice(section.indexOf('\n')).trim();
  if (notes === '') throw new Error(`the section of ${version} in CHANGELOG.md is empty`);
  return `${notes}\n`;
}
