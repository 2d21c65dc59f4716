/** A frame of a traceback. */
export interface PythonFrame {
  readonly file: string;
  readonly line: number;
  /** Of the function, or of the module. */
  readonly name: string;
}

/** The parts of a text that has a traceback of Python. */
export interface PythonTraceback {
  /** What names an error or says what to do, in the order of the text: causes come first. */
  readonly told: readonly string[];
  /** Frames of the last error, the innermost first. */
  readonly frames: readonly PythonFrame[];
}

const FRAME = /^ +File "(.*)", line (\d+)(?:, in (.*))?$/;
const GROUP = 'Exception Group Traceback (most recent call last):';
const BEGIN = /(?:^|\s)(?:(?:\+ )?Exception Group )?Traceback \(most recent call last\):$/;
/** What stands before the lines of a group, and the lines between its errors. */
const MARGIN = /^ *(?:\+-[-+]*(?: \S+ -+)?$|[|+] )/;
/** Between an error and the one that it caused. */
const BETWEEN = /^(?:During handling of the above exception|The above exception was the direct cause)/;

/** Undefined: the text has none. Frames and lines of code are indented. */
export function pythonTraceback(text: string): PythonTraceback | undefined {
  const told: string[] = [];
  let frames: PythonFrame[] = [];
  const lines = text.split('\n');
  for (const each of text.includes(GROUP) ? lines.map((line) => line.replace(MARGIN, '')) : lines) {
    if (BEGIN.test(each)) frames = [];
    const [, file, line, name = '<module>'] = FRAME.exec(each) ?? [];
    if (file !== undefined) frames.unshift({ file, line: Number(line), name });
    const own = BETWEEN.test(each) ? '' : each.replace(BEGIN, '');
    if (/^\S/.test(own)) told.push(own.trimEnd());
  }
  return frames.length === 0 ? undefined : { told, frames };
}
