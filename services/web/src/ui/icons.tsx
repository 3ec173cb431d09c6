// The pictures of both pages: one stroke, 24 units square, in the text's colour.

import type { ComponentChildren } from "preact";

function icon(children: ComponentChildren) {
  return function Icon() {
    return (
      <svg
        class="icon"
        viewBox="0 0 24 24"
        width="20"
        height="20"
        fill="none"
        stroke="currentColor"
        stroke-width="1.8"
        stroke-linecap="round"
        stroke-linejoin="round"
        aria-hidden="true"
        focusable="false"
      >
        {children}
      </svg>
    );
  };
}

export const CloseIcon = icon(<path d="M6 6l12 12M18 6L6 18" />);
export const DownIcon = icon(<path d="M6 9.5l6 6 6-6" />);
export const SendIcon = icon(<path d="M4.5 12L20 4.5 14.5 20l-3-6.5zM11.5 13.5L20 4.5" />);
export const ClipIcon = icon(
  <path d="M20 11.5l-8.2 8.2a5 5 0 01-7.1-7.1l8.5-8.5a3.4 3.4 0 014.8 4.8l-8.5 8.5a1.7 1.7 0 01-2.4-2.4l7.8-7.8" />,
);
export const FileIcon = icon(
  <path d="M13.5 3.5h-7a1 1 0 00-1 1v15a1 1 0 001 1h11a1 1 0 001-1v-11zM13.5 3.5v5h5" />,
);
export const DownloadIcon = icon(<path d="M12 4v11m0 0l-4.5-4.5M12 15l4.5-4.5M5 19.5h14" />);
export const ClockIcon = icon(
  <>
    <circle cx="12" cy="12" r="8.2" />
    <path d="M12 7.5V12l3 2" />
  </>,
);
export const CheckIcon = icon(<path d="M5 12.5l4.5 4.5L19 7.5" />);
export const ChecksIcon = icon(<path d="M2 12.5l4.5 4.5L16 7.5M11.5 16l1 1L22 7.5" />);
export const AlertIcon = icon(
  <>
    <circle cx="12" cy="12" r="8.2" />
    <path d="M12 8v4.5M12 15.8v.1" />
  </>,
);
export const LeaveIcon = icon(
  <path d="M14 4.5H6.5a1 1 0 00-1 1v13a1 1 0 001 1H14M10 12h10m0 0l-3.5-3.5M20 12l-3.5 3.5" />,
);
export const StarIcon = icon(
  <path d="M12 3.8l2.55 5.17 5.7.83-4.12 4.02.97 5.68L12 16.82 6.9 19.5l.97-5.68L3.75 9.8l5.7-.83z" />,
);
export const LockIcon = icon(
  <>
    <rect x="5" y="10.5" width="14" height="9.5" rx="2" />
    <path d="M8 10.5V8a4 4 0 018 0v2.5" />
  </>,
);
export const SearchIcon = icon(
  <>
    <circle cx="11" cy="11" r="6.2" />
    <path d="M15.6 15.6L20 20" />
  </>,
);
export const TransferIcon = icon(
  <path d="M4 8.5h15m0 0l-3.5-3.5M19 8.5L15.5 12M20 15.5H5m0 0L8.5 12M5 15.5L8.5 19" />,
);
export const BellIcon = icon(<path d="M6 16.5V11a6 6 0 0112 0v5.5l1.5 1.5h-15zM10 20.5h4" />);
export const HelpIcon = icon(
  <>
    <circle cx="12" cy="12" r="8.2" />
    <path d="M9.7 9.6a2.4 2.4 0 114 1.9c-1 .8-1.7 1.2-1.7 2.4M12 16.6v.1" />
  </>,
);
export const TagIcon = icon(<path d="M4 11.5V5a1 1 0 011-1h6.5l8.5 8.5-7.5 7.5zM8.2 8.2v.1" />);
export const BackIcon = icon(<path d="M14.5 6l-6 6 6 6" />);
export const PersonIcon = icon(
  <>
    <circle cx="12" cy="8.5" r="3.6" />
    <path d="M5 19.5c.6-3.8 3.4-5.7 7-5.7s6.4 1.9 7 5.7" />
  </>,
);
export const WhisperIcon = icon(
  <path d="M4 5h16v10h-8l-4.5 4v-4H4zM8.5 10v.1M12 10v.1M15.5 10v.1" />,
);
export const InviteIcon = icon(
  <>
    <circle cx="10" cy="8.5" r="3.4" />
    <path d="M3.5 19.5c.5-3.7 3-5.5 6.5-5.5 1.5 0 2.8.3 3.8 1M18 13.5v6M15 16.5h6" />
  </>,
);
export const JoinIcon = icon(
  <path d="M10 4.5h7.5a1 1 0 011 1v13a1 1 0 01-1 1H10M4 12h10m0 0l-3.5-3.5M14 12l-3.5 3.5" />,
);
export const EyeIcon = icon(
  <>
    <path d="M2.8 12C5 7.8 8.2 5.8 12 5.8s7 2 9.2 6.2c-2.2 4.2-5.4 6.2-9.2 6.2S5 16.2 2.8 12z" />
    <circle cx="12" cy="12" r="2.8" />
  </>,
);
export const BoardIcon = icon(
  <>
    <rect x="3.8" y="4.5" width="16.4" height="15" rx="2" />
    <path d="M8 16v-4M12 16V8.5M16 16v-6" />
  </>,
);
export const TakeIcon = icon(
  <path d="M12 3.8v9.4m0 0l-3.8-3.8M12 13.2l3.8-3.8M4.5 14.5v4a1 1 0 001 1h13a1 1 0 001-1v-4" />,
);
export const ReleaseIcon = icon(<path d="M9 6.5L4.5 11 9 15.5M4.5 11h9.5a5.5 5.5 0 010 8H11" />);
export const PriorityIcon = icon(<path d="M6.5 20V4.5M6.5 5h11l-2.6 3.7 2.6 3.8h-11" />);
