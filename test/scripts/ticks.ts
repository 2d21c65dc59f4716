export function init() {}
// Makes an interval that goes on after the answer.
export const run = () =>
  new Promise((resolve) => {
    setInterval(() => {
      console.log('tick');
      resolve('ticked');
    }, 5);
  });
