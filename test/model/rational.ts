/** An exact fraction of two integers, always in lowest terms with a positive denominator. */
export class Rational {
  static readonly ZERO = new Rational(0n, 1n);
  static readonly ONE = new Rational(1n, 1n);

  private constructor(
    readonly num: bigint,
    readonly den: bigint,
  ) {}

  static of(num: bigint, den = 1n): Rational {
    if (den === 0n) throw new RangeError("division by zero");
    const divisor = gcd(num, den) * (den < 0n ? -1n : 1n);
    return new Rational(num / divisor, den / divisor);
  }

  plus(other: Rational | bigint): Rational {
    const { num, den } = from(other);
    return Rational.of(this.num * den + num * this.den, this.den * den);
  }

  minus(other: Rational | bigint): Rational {
    return this.plus(from(other).negated());
  }

  times(other: Rational | bigint): Rational {
    const { num, den } = from(other);
    return Rational.of(this.num * num, this.den * den);
  }

  over(other: Rational | bigint): Rational {
    const { num, den } = from(other);
    return Rational.of(this.num * den, this.den * num);
  }

  negated(): Rational {
    return new Rational(-this.num, this.den);
  }

  /** Towards −∞. */
  floor(): bigint {
    const quotient = this.num / this.den;
    return this.num < 0n && quotient * this.den !== this.num ? quotient - 1n : quotient;
  }

  /** Towards +∞. */
  ceil(): bigint {
    return -this.negated().floor();
  }

  /** Negative, zero or positive, as this − other is. */
  compare(other: Rational | bigint): number {
    const { num, den } = from(other);
    const difference = this.num * den - num * this.den;
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }

  equals(other: Rational | bigint): boolean {
    return this.compare(other) === 0;
  }

  isZero(): boolean {
    return this.num === 0n;
  }

  isPositive(): boolean {
    return this.num > 0n;
  }

  isNegative(): boolean {
    return this.num < 0n;
  }

  isWhole(): boolean {
    return this.den === 1n;
  }

  /** "a/b", or "a" for a whole number. */
  toString(): string {
    return this.isWhole() ? this.num.toString() : `${this.num}/${this.den}`;
  }
}

export const ZERO = Rational.ZERO;
export const ONE = Rational.ONE;

export function rational(num: bigint, den = 1n): Rational {
  return Rational.of(num, den);
}

/** Reads what `toString` writes. */
export function parseRational(text: string): Rational {
  const [num = "", den = "1"] = text.split("/");
  return Rational.of(BigInt(num), BigInt(den));
}

export function sum(terms: Iterable<Rational>): Rational {
  let total = ZERO;
  for (const term of terms) total = total.plus(term);
  return total;
}

export function min(first: Rational, ...others: readonly Rational[]): Rational {
  return others.reduce((best, next) => (next.compare(best) < 0 ? next : best), first);
}

export function max(first: Rational, ...others: readonly Rational[]): Rational {
  return others.reduce((best, next) => (next.compare(best) > 0 ? next : best), first);
}

function from(value: Rational | bigint): Rational {
  return typeof value === "bigint" ? Rational.of(value) : value;
}

function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}
