class Scorer {
  #factor = 2;
  rows: number[] | undefined;
  async init() {
    this.rows = [1, 2];
  }
  get sample() {
    return this.rows;
  }
  run(rows: number[]) {
    return rows.map((row) => row * this.#factor);
  }
}
export default new Scorer();
