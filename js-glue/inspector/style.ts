// The inspector's looks: light and dark as the page's color-scheme, from 320 pixels on.
export const style = `
:host {
  --ink: light-dark(#1c2330, #e4e8f0);
  --soft: light-dark(#566176, #9aa6bb);
  --paper: light-dark(#ffffff, #141821);
  --raised: light-dark(#f3f5f9, #1d2330);
  --line: light-dark(#d5dbe6, #323b4d);
  --accent: light-dark(#1f4fd0, #8fb1ff);
  --on-accent: light-dark(#ffffff, #101626);
  --alert: light-dark(#9a3412, #ffb182);
  display: block;
  container-type: inline-size;
  color: var(--ink);
  background: var(--paper);
  border: 1px solid var(--line);
  border-radius: 10px;
  font: 13px/1.5 system-ui, sans-serif;
  overflow: hidden;
}
* { box-sizing: border-box; }
header { padding: 10px 14px 0; }
header span { color: var(--soft); }
[role=tablist] { display: flex; flex-wrap: wrap; gap: 2px; padding: 6px 10px 0; border-bottom: 1px solid var(--line); }
[role=tab] { border: 0; border-bottom: 2px solid transparent; border-radius: 6px 6px 0 0; background: none; color: var(--soft); padding: 6px 8px; min-height: 32px; }
[role=tab]:hover { color: var(--ink); background: var(--raised); }
[role=tab][aria-selected=true] { color: var(--ink); border-bottom-color: var(--accent); font-weight: 600; }
[role=tabpanel] { padding: 12px 14px 14px; max-height: var(--tabmesh-inspector-height, 26rem); overflow: auto; }
.count { display: inline-block; min-width: 1.5em; padding: 0 .4em; border-radius: 1em; background: var(--raised); color: var(--ink); font-size: 11px; font-weight: 600; text-align: center; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: -2px; }
button, select, input, textarea { font: inherit; color: var(--ink); background: var(--raised); border: 1px solid var(--line); border-radius: 6px; padding: 4px 10px; }
button { cursor: pointer; }
button:hover:not(:disabled) { border-color: var(--soft); }
button:disabled { color: var(--soft); cursor: default; }
button[aria-pressed=true] { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
textarea { width: 100%; font: 12px/1.5 ui-monospace, monospace; }
input[type=search] { max-width: 9rem; }
.bar { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin: 10px 0; }
.bar label { color: var(--soft); }
dl { display: flex; flex-wrap: wrap; gap: 6px 20px; margin: 0 0 10px; }
dl div { min-width: 4rem; }
dt { color: var(--soft); font-size: 12px; }
dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
p { margin: 8px 0; }
.note { color: var(--soft); margin-top: 0; max-width: 62ch; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--soft); padding-bottom: 4px; }
th, td { text-align: left; padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; font-variant-numeric: tabular-nums; }
th { font-weight: 600; }
thead th { color: var(--soft); font-weight: 400; font-size: 12px; }
th:last-child, td:last-child { padding-right: 0; }
.number, .time, .mark { white-space: nowrap; }
.number { text-align: right; }
.time { font-family: ui-monospace, monospace; font-size: 12px; }
tr.slow td { color: var(--alert); }
.mark { border: 1px solid var(--line); border-radius: 4px; padding: 0 5px; font-size: 11px; font-weight: 600; color: var(--soft); }
.mark.strong { color: var(--accent); border-color: currentColor; }
.tree ul { list-style: none; margin: 0; padding: 0 0 0 16px; }
.tree > ul { padding: 0; }
.tree li { padding: 1px 0; overflow-wrap: anywhere; }
.tree li > span.key { padding-left: 14px; }
summary { cursor: pointer; }
.key { font-weight: 600; }
.size, .stamp { color: var(--soft); }
.stamp { font-size: 12px; font-weight: 400; margin-left: 8px; }
code, pre { font: 12px/1.5 ui-monospace, monospace; }
code.string { color: light-dark(#0b6b3a, #8fd9ae); }
code.number, code.boolean { color: var(--accent); }
code.null { color: var(--soft); }
h2 { font-size: 13px; margin: 4px 0 6px; }
h3 { font-size: 12px; margin: 0 0 4px; }
section + section { border-top: 1px solid var(--line); margin-top: 12px; padding-top: 8px; }
.cards, .halves { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(14rem, 100%), 1fr)); gap: 10px; }
.halves { gap: 10px 28px; }
.halves section + section { border: 0; margin: 0; padding: 0; }
.card { border: 1px solid var(--line); border-radius: 8px; padding: 8px 10px; background: var(--raised); min-width: 0; }
.card.base { background: none; border-style: dashed; }
.card.wide { grid-column: 1 / -1; }
.card button { background: var(--paper); }
pre { margin: 0 0 8px; max-height: 10rem; overflow: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
[role=alert] { color: var(--alert); }
svg { display: block; width: 100%; max-width: 30rem; margin-bottom: 6px; }
svg rect { fill: var(--accent); }
@container (max-width: 30rem) {
  .spare { display: none; }
  th, td { padding-right: 8px; }
}
svg text { fill: var(--soft); font-size: 9px; text-anchor: middle; }
`
