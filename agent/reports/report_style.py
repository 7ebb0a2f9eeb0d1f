"""How a report looks: light and dark, on paper too. One style sheet, nothing that a browser would fetch."""

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ground: #f4f4f1; --ink: #1d1d1b; --soft: #67675f; --line: #dcdcd5;
  --link: #0b5c8a; --chip: #e4f0f7; --warn: #8a3b00; --warnchip: #fbe9dc; }
@media (prefers-color-scheme: dark) { :root { --paper: #1f2022; --ground: #151617; --ink: #e8e8e4; --soft: #a0a09a;
  --line: #38393c; --link: #7cc4ee; --chip: #1d3442; --warn: #f0a878; --warnchip: #42291a; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 17px/1.55 system-ui, -apple-system, "Segoe UI",
  Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere; }
main { max-width: 52rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.25; margin: 0 0 1.25rem; text-wrap: balance; }
h2 { font-size: .85rem; letter-spacing: .07em; text-transform: uppercase; color: var(--soft); margin: 2.5rem 0 .75rem; }
article + article { margin-top: 4rem; border-top: 2px solid var(--line); padding-top: 2.5rem; }
.answer { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 1.1rem 1.5rem; }
.answer > :first-child { margin-top: 0; } .answer > :last-child { margin-bottom: 0; }
.answer table, .answer pre { display: block; overflow-x: auto; } .answer ul, .answer ol { padding-left: 1.3rem; }
.answer table { border-collapse: collapse; } .answer th, .answer td { padding: .3rem .7rem;
  border-bottom: 1px solid var(--line); text-align: left; }
a.cite, span.cite, .unverified { font-size: .82em; border-radius: 5px; padding: .08em .42em; text-decoration: none;
  background: var(--chip); color: var(--link); -webkit-box-decoration-break: clone; box-decoration-break: clone; }
a.cite:hover { text-decoration: underline; }
.unverified { background: var(--warnchip); color: var(--warn); }
.absent { display: inline-block; margin-bottom: .75rem; padding: .1rem .6rem; border-radius: 99px; font-size: .85rem;
  background: var(--warnchip); color: var(--warn); }
figure { margin: 0 0 1.75rem; padding: .9rem; background: var(--paper); border: 1px solid var(--line);
  border-radius: 10px; scroll-margin-top: 1rem; }
figure:target { outline: 3px solid var(--link); }
figcaption { font-weight: 600; margin-bottom: .7rem; }
figcaption span { font-weight: 400; color: var(--soft); font-size: .85rem; margin-left: .6rem; }
figure img { display: block; max-width: 100%; max-height: 92vh; width: auto; height: auto; margin: 0 auto;
  border: 1px solid var(--line); background: #fff; }
.closer { margin-top: .9rem; break-inside: avoid; } figure .closer img { max-height: 24rem; margin: 0; }
.closer p { margin: 0 0 .4rem; color: var(--soft); font-size: .85rem; }
.seen { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem; }
.seen figure { margin: 0; padding: .5rem; font-size: .8rem; } .seen figcaption { font-weight: 400; }
ul.claims { list-style: none; padding: 0; margin: 0; font-size: .92rem; }
ul.claims small { color: var(--soft); }
ol.steps { color: var(--soft); padding-left: 1.4rem; margin: 0; font-size: .92rem; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft);
  font-size: .85rem; }
@media print {
  :root { --paper: #fff; --ground: #fff; --ink: #000; --soft: #555; --line: #ccc; --link: #000; --chip: #eee;
    --warn: #000; --warnchip: #eee; color-scheme: light; }
  body { font-size: 11pt; } main { max-width: none; padding: 0; }
  figure, .answer { break-inside: avoid; } figure img { max-height: 18cm; }
  figure .closer img { max-height: 7cm; } h2 { break-after: avoid; }
}
"""
