// Times, sizes and names in the reader's language.

/** The first of these tags that a browser can format for, or else English. */
export function usableLanguage(...tags: (string | undefined)[]): string {
  return tags.find(isTag) ?? "en";
}

/** Some systems name their language in ways that are none, such as "en-US@posix". */
function isTag(tag: string | undefined): boolean {
  try {
    return Boolean(tag && new Intl.Locale(tag));
  } catch {
    return false;
  }
}

const clockFormats = new Map<string, Intl.DateTimeFormat>();

/** Hours and minutes. */
export function clock(at: number, language: string): string {
  let format = clockFormats.get(language);
  if (!format) {
    format = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
    clockFormats.set(language, format);
  }
  return format.format(at);
}

/** "today", "yesterday" or a date. */
export function day(at: number, language: string, now = Date.now()): string {
  const startOfDay = (time: number) => new Date(time).setHours(0, 0, 0, 0);
  const days = Math.round((startOfDay(at) - startOfDay(now)) / 86_400_000);
  if (days === 0 || days === -1) {
    const words = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(days, "day");
    return words.charAt(0).toLocaleUpperCase(language) + words.slice(1);
  }
  return new Intl.DateTimeFormat(language, {
    weekday: "short",
    day: "numeric",
    month: "long",
    ...(new Date(at).getFullYear() !== new Date(now).getFullYear() && { year: "numeric" }),
  }).format(at);
}

/** When something will be: a weekday and time within six days, else a date and time. */
export function moment(at: number, language: string, now = Date.now()): string {
  const isNear = at - now < 6 * 86_400_000;
  return new Intl.DateTimeFormat(language, {
    ...(isNear ? { weekday: "long" } : { weekday: "short", day: "numeric", month: "long" }),
    hour: "numeric",
    minute: "2-digit",
    timeZoneName: "short",
  }).format(at);
}

/** A size in bytes, kilobytes or megabytes. */
export function fileSize(bytes: number, language: string): string {
  const [value, unit] =
    bytes < 1000
      ? [bytes, "byte"]
      : bytes < 1_000_000
        ? [bytes / 1000, "kilobyte"]
        : [bytes / 1_000_000, "megabyte"];
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit,
    unitDisplay: "short",
    maximumFractionDigits: value < 10 && unit !== "byte" ? 1 : 0,
  }).format(value);
}

const MOST_STARS = 5;

/** A rating, "★★★"; one on a longer scale, of a newer server, as "8 ★". */
export function stars(score: number): string {
  return score > MOST_STARS ? `${score} ★` : "★".repeat(score);
}

/** The stars that a rating lacks, "☆☆". */
export function starsLacking(score: number): string {
  return "☆".repeat(Math.max(0, MOST_STARS - score));
}

/** A short duration for lists: "now", "4 m", "2 h", "3 d". */
export function shortAge(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} m`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

/** One or two letters for a round picture. */
export function initials(name: string): string {
  const words = name.trim().split(/\s+/u);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters
    .map((word) => Array.from(word ?? "")[0] ?? "")
    .join("")
    .toLocaleUpperCase();
}
