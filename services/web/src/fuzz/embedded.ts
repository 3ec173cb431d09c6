// For the tests: the widget as a page embeds it that says nothing of the visitor.

import type { WidgetConfig } from "../widget/contract";

export const config: WidgetConfig = {
  origin: "http://host",
  siteKey: "pk",
  queue: undefined,
  language: "en",
  visitorName: undefined,
  attributes: {},
};
