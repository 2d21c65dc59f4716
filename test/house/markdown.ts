/** One fenced block of a page. */
export interface CodeBlock {
  readonly line: number;
  readonly language: string;
  readonly text: string;
  /** The reason of `<!-- not run: reason -->` above it; undefined: the block runs. */
  readonly notRun: string | undefined;
}

interface Line {
  readonly line: number;
  readonly text: string;
}

/** The lines outside of fenced blocks. */
function linesOf(page: string): Line[] {
  let fenced = false;
  return page.split('\n').flatMap((text, index) => {
    const fence = /^\s*```/.test(text);
    if (fence) fenced = !fenced;
    return fence || fenced ? [] : [{ line: index + 1, text }];
  });
}

/** Lines that people read as sentences: no code, tables, images and comments. */
export function proseOf(page: string): Line[] {
  return linesOf(page).filter(({ text }) => !/^(?:\||!\[|<!--)/.test(text));
}

/** Rows of tables, with the text of each cell. */
export function tableRowsOf(page: string): { readonly line: number; readonly cells: readonly string[] }[] {
  return linesOf(page)
    .filter(({ text }) => text.startsWith('|') && !/^\|[\s:|-]+\|$/.test(text))
    .map(({ line, text }) => ({
      line,
      cells: text
        .slice(1, text.lastIndexOf('|'))
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    }));
}

/** Targets of links and images. A link may be broken across lines. */
export function linksOf(page: string): string[] {
  const text = linesOf(page)
    .map((line) => line.text)
    .join('\n')
    .replaceAll(/`[^`]*`/g, '');
  return Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target);
}

/** Anchors of the headings, as GitHub makes them. */
export function anchorsOf(page: string): Set<string> {
  return new Set(
    linesOf(page)
      .filter(({ text }) => text.startsWith('#'))
      .map(({ text }) =>
        text
          .replace(/^#+\s*/, '')
          .toLowerCase()
          .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
          .trim()
          .replaceAll(/\s/g, '-'),
      ),
  );
}

/** The fenced blocks, in order. */
export function codeBlocksOf(page: string): CodeBlock[] {
  const lines = page.split('\n');
  const blocks: CodeBlock[] = [];
  for (let at = 0; at < lines.length; at++) {
    const [, language = ''] = /^```(\w*)$/.exec(lines[at] ?? '') ?? [];
    if (!(lines[at] ?? '').startsWith('```')) continue;
    const end = lines.indexOf('```', at + 1);
    const [, notRun] = /^<!-- not run: (.+) -->$/.exec(lines[at - 1] ?? '') ?? [];
    blocks.push({ line: at + 1, language, text: lines.slice(at + 1, end).join('\n'), notRun });
    at = end;
  }
  return blocks;
}
