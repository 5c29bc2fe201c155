/**
 * The looks of the page: one sheet for light and dark (`light-dark()`), narrow and wide, screen and paper.
 */
export const pageStyle: string = `
:root {
  color-scheme: light dark;
  --bg: light-dark(#f5f6f8, #0d1016); --card: light-dark(#fff, #151a22); --ink: light-dark(#161a21, #e8ebf0);
  --soft: light-dark(#566070, #a2acba); --line: light-dark(#e2e5ea, #29303b); --field: light-dark(#fff, #10141b);
  --accent: light-dark(#4338ca, #a5b4fc); --wash: light-dark(#eef0fd, #1e2340);
  --yes: light-dark(#0b6b3c, #5fd49a); --no: light-dark(#b42318, #ff8a80); --maybe: light-dark(#855300, #f2bf5e);
  --yes-wash: light-dark(#e3f5ea, #11301f); --no-wash: light-dark(#fdeae8, #3a1715);
  --maybe-wash: light-dark(#fdf2dc, #33270f);
  --k0: light-dark(#c9d2fb, #35408f); --k1: light-dark(#bfe6d6, #1d5f4b); --k2: light-dark(#fbd9b5, #7a4a15);
  --k3: light-dark(#f6cbdc, #7d2e51); --k4: light-dark(#c3e3f5, #1c5a78); --k5: light-dark(#e2d3f7, #5a3a8a);
  --k6: light-dark(#e6e3b3, #5c5716); --k7: light-dark(#d9dde4, #454d5a); --rest: light-dark(#eceef2, #262c36);
  --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", "DejaVu Sans Mono", monospace;
}
:root[data-theme=light] { color-scheme: light }
:root[data-theme=dark] { color-scheme: dark }
* { box-sizing: border-box }
html { scroll-padding-top: 60px; -webkit-text-size-adjust: 100% }
body { margin: 0; background: var(--bg); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", sans-serif;
  overflow-wrap: anywhere }
.wrap { max-width: 1440px; margin: 0 auto; padding: 0 28px }
a { color: var(--accent) }
.skip { position: absolute; left: -999px } .skip:focus { left: 8px; top: 8px; z-index: 9; background: var(--card); padding: 8px }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px }
header.top { color: #fff; background: radial-gradient(1200px 400px at 85% -120px, #5b4be0 0%, transparent 65%),
  linear-gradient(120deg, #12162b, #1d1b4b 70%, #2b2270); padding: 26px 0 74px }
.brand { display: flex; justify-content: space-between; align-items: center; gap: 12px; font-size: 13px; color: #d5d9f5 }
.brand b { color: #fff; letter-spacing: .02em }
.brand button { font: inherit; color: #fff; background: #ffffff1f; border: 1px solid #ffffff4d; border-radius: 99px;
  padding: 4px 12px; cursor: pointer }
h1 { font-size: clamp(24px, 3.4vw, 38px); line-height: 1.15; letter-spacing: -.022em; font-weight: 680; margin: 22px 0 8px }
.sub { display: flex; flex-wrap: wrap; gap: 4px 18px; color: #d5d9f5; font-size: 14px; margin: 0; padding: 0; list-style: none }
.sub code { color: #fff }
code, .mono { font-family: var(--mono); font-size: .88em }
.verdict { display: inline-flex; align-items: center; gap: 8px; margin-top: 16px; padding: 5px 14px 5px 11px; border-radius: 99px;
  font-weight: 620; font-size: 14px; background: #fff; color: #161a21 }
.verdict.yes { background: #c9f2da; color: #06361d } .verdict.no { background: #ffd9d5; color: #5c0f08 }
.verdict.maybe { background: #fde7bb; color: #452b00 }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(158px, 1fr)); gap: 14px; margin: -50px 0 0; padding: 0; list-style: none }
.tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 14px 18px 13px;
  box-shadow: 0 6px 22px -14px #0f172a66 }
.tiles b { display: block; font-size: 25px; line-height: 1.2; letter-spacing: -.02em; font-weight: 660; font-variant-numeric: tabular-nums }
.tiles span { color: var(--soft); font-size: 13px } .tiles .small { color: var(--ink); font-size: 19px; line-height: 1.55 } .tiles .small.yes { color: var(--yes) } .tiles .small.no { color: var(--no) } .tiles .small.maybe { color: var(--maybe) }
nav { position: sticky; top: 0; z-index: 5; margin: 20px 0 0; background: var(--bg); border-bottom: 1px solid var(--line) }
nav .wrap { display: flex; gap: 4px; overflow-x: auto; scrollbar-width: thin }
nav a { color: var(--soft); text-decoration: none; white-space: nowrap; padding: 12px 11px; font-size: 14px; font-weight: 540 }
nav a:hover { color: var(--ink) }
main, .columns, .column { display: grid; gap: 20px; grid-template-columns: minmax(0, 1fr); align-content: start }
main { padding: 22px 0 60px }
section { contain: layout style; background: var(--card); border: 1px solid var(--line); border-radius: 16px; padding: 22px 24px 24px }
@media (min-width: 1000px) { .columns { grid-template-columns: repeat(2, minmax(0, 1fr)) } .diff { columns: 2; column-gap: 32px } .diff ul { break-inside: auto } }
.parts ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(250px, 1fr)); gap: 0 24px } .parts ul.plain > li, .parts ul.plain > li:first-child { border-top: 1px solid var(--line) }
.place { display: block; font: 12px/1.5 var(--mono); color: var(--soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
h2 { font-size: 19px; letter-spacing: -.012em; font-weight: 650; margin: 0 0 3px }
h2 + p { margin: 0 0 16px } .lead, .note { color: var(--soft); font-size: 14px }
h3 { font-size: 15px; font-weight: 640; margin: 20px 0 6px }
ul.plain { list-style: none; margin: 0; padding: 0 } ul.plain > li { padding: 7px 0; border-top: 1px solid var(--line) }
ul.plain > li:first-child { border-top: 0 }
.yes { color: var(--yes) } .no { color: var(--no) } .maybe { color: var(--maybe) }
.sign { display: inline-block; width: 20px; font-weight: 700 }
.pill { display: inline-block; padding: 1px 10px; border-radius: 99px; font-size: 13px; font-weight: 600; background: var(--wash); color: var(--accent) }
.pill.yes { background: var(--yes-wash); color: var(--yes) } .pill.no { background: var(--no-wash); color: var(--no) }
.pill.maybe { background: var(--maybe-wash); color: var(--maybe) }
.llvm { border: 1px solid var(--line); border-radius: 12px; padding: 14px 16px; margin-top: 12px }
.llvm header { display: flex; flex-wrap: wrap; gap: 6px 12px; align-items: baseline }
.llvm .commit { font: 650 21px/1.3 var(--mono); letter-spacing: -.02em }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 5px 16px; margin: 10px 0 0; font-size: 14px }
dt { color: var(--soft) } dd { margin: 0 }
@media (max-width: 560px) { dl { grid-template-columns: 1fr; gap: 1px } dd { margin-bottom: 7px } }
.bars { display: grid; gap: 9px; margin: 0; padding: 0; list-style: none; font-size: 14px }
.bars div { display: flex; justify-content: space-between; gap: 14px } .bars b { font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap }
.bars svg { display: block; width: 100%; height: 7px; margin-top: 3px } .bars rect.all { fill: var(--rest) } .bars rect.part { fill: var(--accent) }
.bars rect.base { fill: var(--soft) }
#orders { display: inline-flex; border: 1px solid var(--line); border-radius: 9px; overflow: hidden; margin-bottom: 12px }
#orders button { font: inherit; font-size: 14px; border: 0; background: none; color: var(--soft); padding: 6px 14px; cursor: pointer }
#orders button[aria-pressed=true] { background: var(--wash); color: var(--accent); font-weight: 600 }
#orders :focus-visible { outline-offset: -3px }
#map { min-height: 460px } #map svg { display: block; max-width: 100% }
#map text { font-size: 11.5px; fill: var(--ink); pointer-events: none } #map .size { opacity: .78; font-size: 10.5px }
#map .group { fill: var(--bg) } #map .group-name { font-weight: 620; fill: var(--soft) }
.cell rect { stroke: transparent; stroke-width: 2 } .cell[role=button] { cursor: pointer }
.cell[role=button]:hover rect, .cell:focus rect { stroke: var(--accent) } .cell:focus { outline: none }
.k0 rect { fill: var(--k0) } .k1 rect { fill: var(--k1) } .k2 rect { fill: var(--k2) } .k3 rect { fill: var(--k3) }
.k4 rect { fill: var(--k4) } .k5 rect { fill: var(--k5) } .k6 rect { fill: var(--k6) } .k7 rect { fill: var(--k7) } .rest rect { fill: var(--rest) }
i.dot { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin-right: 7px; border: 1px solid #7f8794 }
i.k0 { background: var(--k0) } i.k1 { background: var(--k1) } i.k2 { background: var(--k2) } i.k3 { background: var(--k3) }
i.k4 { background: var(--k4) } i.k5 { background: var(--k5) } i.k6 { background: var(--k6) } i.k7 { background: var(--k7) }
#filters { display: grid; grid-template-columns: minmax(220px, 2fr) repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; margin: 0 0 6px }
@media (max-width: 700px) { #filters { grid-template-columns: 1fr 1fr } #filters label:first-child { grid-column: span 2 } }
#filters label { display: grid; gap: 3px; font-size: 12.5px; color: var(--soft); min-width: 0 }
#filters input, #filters select { font: inherit; font-size: 14px; color: var(--ink); background: var(--field); border: 1px solid light-dark(#8b93a1, #5d6675);
  border-radius: 9px; padding: 7px 10px; width: 100%; min-width: 0 }
#count { font-size: 14px; color: var(--soft); margin: 8px 0 }
.scroll { overflow-x: auto; margin: 0 -24px; padding: 0 24px }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums }
th { text-align: left; font-weight: 600 } th, td { padding: 7px 12px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top }
thead th { color: var(--soft); font-size: 13px; white-space: nowrap }
th button, .link { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; text-align: left }
th[aria-sort=ascending] button::after { content: " ↑" } th[aria-sort=descending] button::after { content: " ↓" }
tbody th button { color: var(--ink); font-weight: 600 } tbody th button:hover, .link { color: var(--accent) } .link { text-decoration: underline; text-underline-offset: 2px }
tbody th button[aria-expanded]::before { content: "▸"; display: inline-block; width: 15px; color: var(--soft) }
tbody th button[aria-expanded=true]::before { content: "▾" }
.of-size, .of-count { text-align: right !important; padding-right: 0; white-space: nowrap } .of-version { font-family: var(--mono); font-size: 12.5px; max-width: 260px }
.of-license { max-width: 320px } .of-license div { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden } .of-layer, .of-kind { white-space: nowrap } tr.more td { padding: 0 0 16px 15px } tr.more dl { margin-top: 4px }
.badge { font-size: 12px; padding: 0 7px; border-radius: 99px; background: var(--rest); color: var(--soft) } .badge.critical, .badge.high { background: var(--no-wash); color: var(--no) } .badge.medium { background: var(--maybe-wash); color: var(--maybe) } th .note { font-weight: 400 }
.badge.added { background: var(--wash); color: var(--accent) }
@media (max-width: 700px) { .of-license, .of-layer { display: none } .of-version { max-width: 120px } section { padding: 18px 16px } .scroll { margin: 0 -16px; padding: 0 16px }
  .wrap { padding: 0 16px } .tiles { grid-template-columns: 1fr 1fr; gap: 10px } .tiles li { padding: 12px 14px } .tiles b { font-size: 21px } .tiles .small { font-size: 16px } }
#more { font: inherit; font-size: 14px; margin-top: 14px; color: var(--accent); background: var(--wash); border: 0; border-radius: 9px; padding: 8px 16px; cursor: pointer }
ol.time { list-style: none; margin: 6px 0 0; padding: 0 } ol.time li { position: relative; padding: 0 0 16px 26px; border-left: 2px solid var(--line); margin-left: 7px }
ol.time li:last-child { border-color: transparent; padding-bottom: 0 } ol.time li::before { content: ""; position: absolute; left: -8px; top: 5px; width: 12px; height: 12px;
  border-radius: 50%; background: var(--card); border: 2px solid var(--soft) }
ol.time li.proven::before { background: var(--yes); border-color: var(--yes) } ol.time li.claim::before { border-style: dashed }
ol.time li.end-no::before { background: var(--no); border-color: var(--no) }
ol.time time { display: block; font: 12.5px var(--mono); color: var(--soft) } ol.time b { font-weight: 620 }
.finding { padding: 9px 0; border-top: 1px solid var(--line) } .finding p { margin: 2px 0 0 20px; font-size: 14px; color: var(--soft) }
details summary { cursor: pointer; color: var(--accent); font-size: 14px; padding: 14px 0 4px } td.fixed { white-space: nowrap }
.diff li { font-size: 14px } footer { color: var(--soft); font-size: 13px; padding: 0 0 40px }
@media print {
  :root { color-scheme: light; --bg: #fff; --card: #fff } body { font-size: 10.5pt } nav, #filters, #orders, #more, #theme, .skip { display: none !important }
  header.top { color: #000; background: none; padding: 0 0 10px } .brand, .brand b, .sub, .sub code { color: #333 } .tiles { margin-top: 8px; grid-template-columns: repeat(4, 1fr) }
  main, .columns, .column { display: block } main { padding: 10px 0 } section { border: 0; border-top: 1.5px solid #999; border-radius: 0; padding: 12px 0; margin: 0 0 8px } .tiles li { box-shadow: none; break-inside: avoid }
  .llvm, tr, .finding, ol.time li, .bars li { break-inside: avoid } h2, h3 { break-after: avoid } thead { display: table-header-group } .scroll { margin: 0; padding: 0; overflow: visible }
  .verdict, .pill, .cell rect, .bars rect, i.dot { print-color-adjust: exact; -webkit-print-color-adjust: exact } .wrap { padding: 0; max-width: none }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth } }
`;
