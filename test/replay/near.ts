/**
 * Whether a number is within `distance` of `wanted`. Chai's own `closeTo` takes whole numbers only once the matchers for
 * bigints are loaded.
 */
export function near(wanted: number, distance: number): (value: number) => boolean {
  return (value) => Math.abs(value - wanted) <= distance;
}
