/**
 * The beginning of a text from outside, for messages. Why: megabytes of a client belong neither
 * into its answer nor into the log.
 */
export const excerpt = (text: string, most = 100): string => (text.length > most ? `${text.slice(0, most)}…` : text);
