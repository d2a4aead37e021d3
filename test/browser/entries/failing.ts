/** The ways in which a page goes wrong. */
export async function main(way: 'throws' | 'logs' | 'late'): Promise<string> {
  if (way === 'throws') throw new RangeError('thrown by main');
  if (way === 'logs') console.error('logged by main');
  if (way === 'late') {
    setTimeout(() => {
      throw new Error('thrown outside main');
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return 'a result all the same';
}
