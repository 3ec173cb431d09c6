// The language in which the staff's pages write times and numbers.

import { usableLanguage } from "../ui/format";

export const LANGUAGE = usableLanguage(navigator.language);
