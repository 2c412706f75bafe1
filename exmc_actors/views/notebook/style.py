"""Hold the style sheet of a picture, which leaves the colours of text and background to the notebook."""

STYLE = """<style>
.exmc-run{color:inherit;font-size:13px;line-height:1.45;overflow-x:auto}
.exmc-run p{margin:.4em 0;overflow-wrap:anywhere}
.exmc-run table{border-collapse:collapse;margin:.5em 0;width:auto;font-size:inherit;color:inherit;
 font-variant-numeric:tabular-nums}
.exmc-run table tr,.exmc-run table tr:hover,.exmc-run table th,
.exmc-run table td{background:transparent!important}
.exmc-run table th,.exmc-run table td{border:0;border-bottom:1px solid rgba(128,128,128,.3);
 padding:.15em .5em;text-align:right!important;vertical-align:middle;white-space:nowrap;color:inherit}
.exmc-run table th{font-weight:600}
.exmc-run table .exmc-left{text-align:left!important}
.exmc-run .exmc-name{max-width:22em;overflow:hidden;text-overflow:ellipsis}
.exmc-run .exmc-bar{display:inline-block;width:9em;height:.75em;border-radius:.2em;overflow:hidden;
 background:rgba(128,128,128,.25);vertical-align:middle;font-size:inherit;line-height:0;text-align:left}
.exmc-run .exmc-bar span{display:inline-block;height:100%}
.exmc-run .exmc-warmup{background:repeating-linear-gradient(135deg,
 #b98a2f 0 3px,rgba(185,138,47,.45) 3px 6px)}
.exmc-run .exmc-draws{background:#2b83ba}
.exmc-run .exmc-swatch{display:inline-block;width:.9em;height:.25em;margin-right:.4em;vertical-align:middle}
.exmc-run .exmc-good{color:#2f9e63}
.exmc-run .exmc-doubt{color:#c5851b}
.exmc-run .exmc-bad{color:#dc4c4c}
.exmc-run svg{display:block;margin:0}
.exmc-run .exmc-small{opacity:.8;font-size:12px}
</style>"""
