export enum Colour {
  Red,
}
export function init() {}
export const run = () => Colour.Red;
