export default class Scorer {
  init() {}
  run() {}
}
