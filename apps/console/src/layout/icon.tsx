/** The icons of the navigation. Each has a text beside it. */
const drawings = {
  overview: 'M3 3h7v9H3zM14 3h7v5h-7zM14 12h7v9h-7zM3 16h7v5H3z',
  alerts: 'M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 22h4',
  history: 'M3 3v18h18M7 15l4-5 4 3 5-7',
  trace: 'M3 6h10M3 12h16M3 18h7M18 17l3 3M16 15.5a2.5 2.5 0 1 0 0 .01',
  config: 'M4 7h10M18 7h2M4 17h2M10 17h10M14 4.5v5M6 14.5v5',
  users:
    'M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21c0-4 3-7 7-7s7 3 7 7M16 3.5a4 4 0 0 1 0 7M18.5 14.5c2.2.9 3.5 3.3 3.5 6.5',
  orders: 'M4 5h2M4 12h2M4 19h2M10 5h10M10 12h10M10 19h10',
  access: 'M15.5 8.5a4.5 4.5 0 1 0-3.6 4.4L14 15h2v2h2v2h3v-3.2l-5.9-5.9a4.5 4.5 0 0 0 .4-1.4zM10 7.5v.01',
  audit: 'M6 2h9l4 4v16H6zM14 2v5h5M9 12h7M9 16h7',
} as const

export type IconName = keyof typeof drawings

export const Icon = ({ name }: { name: IconName }) => (
  <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" aria-hidden="true">
    <path d={drawings[name]} stroke-linecap="round" stroke-linejoin="round" />
  </svg>
)

export const Brand = () => (
  <svg viewBox="0 0 32 32" aria-hidden="true">
    <rect width="32" height="32" rx="8" fill="#0a6e78" />
    <path d="M6 11h8M6 16h5M6 21h8" stroke="#8fe0e6" stroke-width="2.4" stroke-linecap="round" />
    <path
      d="M15 11l5.5 5-5.5 5"
      fill="none"
      stroke="#fff"
      stroke-width="2.6"
      stroke-linecap="round"
      stroke-linejoin="round"
    />
    <circle cx="25" cy="16" r="2.4" fill="#fff" />
  </svg>
)
