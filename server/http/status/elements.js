/** An element of the page, which has it. */
export function byId(id) {
  return document.getElementById(id);
}

/**
 * Makes an element. Text is never read as HTML: names of services and models are anybody's.
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {(Node | string)[]} content
 */
export function element(name, attributes = {}, ...content) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...content);
  return made;
}

/** Changes a text only if it is another one, so that a reader's place in it is kept. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/**
 * Makes the rows of a table's body say this. The first cell of a row is its header. Cells whose
 * text did not change stay as they are, so that a screen reader keeps its place.
 * @param {HTMLTableElement} table
 * @param {string[][]} rows
 */
export function setRows(table, rows) {
  const body = table.tBodies[0] ?? table.createTBody();
  while (body.rows.length > rows.length) body.deleteRow(-1);
  rows.forEach((texts, index) => {
    const row = body.rows[index] ?? body.insertRow();
    while (row.cells.length > texts.length) row.deleteCell(-1);
    while (row.cells.length < texts.length) row.append(row.cells.length === 0 ? element('th', { scope: 'row' }) : element('td'));
    texts.forEach((text, place) => setText(row.cells[place], text));
  });
}

/** Makes the head of a table say this. */
export function setHead(table, names) {
  const head = table.tHead ?? table.createTHead();
  if (names.join('\n') === [...head.querySelectorAll('th')].map(({ textContent }) => textContent).join('\n')) return;
  head.replaceChildren(element('tr', {}, ...names.map((name) => element('th', { scope: 'col' }, name))));
}
