/** Of each row's `candidates` logits the place of the highest, of equals the first. */
export function hardestOf(logits: ArrayLike<number>, candidates: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: logits.length / candidates }, (_, row) => {
    const places = Array.from({ length: candidates }, (_, c) => row * candidates + c);
    return places.reduce((best, place) => (logits[place]! > logits[best]! ? place : best));
  });
}
