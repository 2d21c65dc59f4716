/**
 * Waits for work within a limit, as every wait of an exit does. Returns whether the work was done
 * in time. Work that fails is done, too: its owner reports the failure.
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
