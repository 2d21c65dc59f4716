/**
 * Waits for work, at most so long: every wait on the way out is one of these. Answers whether the work was done in time. Work that
 * fails is done, too: whoever starts it reports its failure.
 * @param limitMs milliseconds
 */
export async function within(limitMs: number, work: Promise<unknown> | undefined): Promise<boolean> {
  if (work === undefined) return true;
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, limitMs, false)));
  try {
    return await Promise.race([
      work.then(
        () => true,
        () => true,
      ),
      limit,
    ]);
  } finally {
    clearTimeout(timer);
  }
}
