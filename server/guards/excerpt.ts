/** The beginning of a text that came from outside, for messages: whoever sends megabytes does not get them back, nor into the log. */
export const excerpt = (text: string, most = 100): string => (text.length > most ? `${text.slice(0, most)}…` : text);
