import { openPort } from '../../../server/delivery/thread-port.ts';

/** A thread that does as it is asked: answers, prints, fails, exits. */
const { data, post, onMessage } = openPort<string, string, string>();
onMessage((message) => {
  if (message === 'fail') throw new Error('as it was asked');
  if (message === 'exit') process.exit(1);
  if (message === 'print') console.log('a line of a library');
  if (message !== 'silence') post(`${data}: ${message}`);
});
