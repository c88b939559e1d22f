// Implementation of html_style.hpp.
#include "report/html_style.hpp"

namespace tern::report {

std::string_view page_style() {
  return R"css(
:root{color-scheme:light dark;--ink:#1d2329;--quiet:#5f6973;--faint:#e4e7ea;--paper:#fff;--back:#f6f7f8;
--accent:#0a6c8f;--good:#00694f;--good-back:#e3f4ee;--bad:#b23a08;--bad-back:#fcebe2;--mark:#ffe3a3;--mark-ink:#4a3200;
--serif:"Iowan Old Style","Palatino Linotype",Palatino,"Book Antiqua",Charter,Georgia,serif;
--sans:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
--mono:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media screen and (prefers-color-scheme:dark){:root{--ink:#e6e8ea;--quiet:#9aa4ae;--faint:#2c3237;--paper:#16191c;
--back:#0f1113;--accent:#6cc3e6;--good:#5ad6ab;--good-back:#12302a;--bad:#ff9a63;--bad-back:#38210f;--mark:#5a4310;
--mark-ink:#ffe3a3}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--back);color:var(--ink);font:16px/1.6 var(--sans)}
main{max-width:66rem;margin:0 auto;padding:3.5rem clamp(1rem,4vw,3.5rem) 3rem;background:var(--paper);min-height:100vh}
header{margin-bottom:2.2rem}
.kicker{font-size:.8rem;letter-spacing:.09em;text-transform:uppercase;color:var(--accent);font-weight:650;margin:0 0 .5rem}
h1,h2,h3{font-family:var(--serif);font-weight:600;line-height:1.2;text-wrap:balance}
h1{font-size:clamp(1.9rem,4.5vw,2.7rem);margin:0 0 .8rem;letter-spacing:-.01em}
h2{font-size:1.6rem;margin:3.2rem 0 .8rem;padding-top:1.1rem;border-top:1px solid var(--faint)}
h3{font-size:1.17rem;margin:2rem 0 .5rem}
p,ul.prose,.lead{max-width:44rem}
p{margin:.7rem 0}
.lead{font-size:1.14rem;color:var(--quiet);line-height:1.55;margin:0}
a{color:var(--accent)}
nav{font-size:.92rem;margin:1.4rem 0 0;display:flex;flex-wrap:wrap;gap:.3rem 1.3rem}
nav a{text-decoration:none;border-bottom:1px solid var(--faint)}
nav a:hover{border-color:currentColor}
code,pre{font-family:var(--mono);font-size:.88em}
code{background:var(--back);border:1px solid var(--faint);border-radius:4px;padding:.05em .3em;overflow-wrap:anywhere}
pre{background:var(--back);border:1px solid var(--faint);border-radius:8px;padding:.9rem 1.1rem;overflow-x:auto;line-height:1.45}
.note{max-width:48rem;border-left:3px solid var(--accent);background:var(--back);padding:.7rem 1.1rem;border-radius:0 8px 8px 0;margin:1.2rem 0}
.note.good{border-color:var(--good);background:var(--good-back)}
.note.bad{border-color:var(--bad);background:var(--bad-back)}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:1rem;margin:1.6rem 0}
.card{border:1px solid var(--faint);border-radius:12px;padding:1rem 1.15rem 1.05rem;border-top:3px solid var(--accent);break-inside:avoid}
.card.good{border-top-color:var(--good)}
.card.bad{border-top-color:var(--bad)}
.card.muted{border-top-color:var(--faint)}
.card .label{font-size:.83rem;color:var(--quiet);line-height:1.35}
.card .value{font:600 1.75rem/1.25 var(--serif);margin:.25rem 0 .3rem;overflow-wrap:anywhere;font-variant-numeric:lining-nums}
.card .detail{font-size:.88rem;line-height:1.45}
dl.verdicts{margin:1.2rem 0;display:grid;grid-template-columns:minmax(9rem,auto) auto 1fr;align-items:baseline}
dl.verdicts>div{display:grid;grid-column:1/-1;grid-template-columns:subgrid;gap:0 1.4rem;padding:.75rem 0;border-bottom:1px solid var(--faint);break-inside:avoid;align-items:baseline}
dl.verdicts dt{color:var(--quiet)}
dl.verdicts dd{margin:0}
dl.verdicts .choice{font:600 1.2rem/1.3 var(--serif)}
@media (max-width:40rem){dl.verdicts,dl.verdicts>div{display:block}}
figure{margin:1.6rem 0;break-inside:avoid;overflow-x:auto;min-width:0}
figcaption,caption{font-size:.9rem;color:var(--quiet);line-height:1.5;text-align:left;max-width:48rem}
figcaption{margin-top:.5rem}
caption{caption-side:bottom;padding-top:.6rem}
figure svg{display:block;max-width:100%;height:auto}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,27rem),1fr));gap:.5rem 2rem}
.scroll{overflow-x:auto;margin:1.4rem 0}
table{border-collapse:collapse;font-size:.93rem;font-variant-numeric:tabular-nums lining-nums;min-width:min(100%,30rem)}
th,td{padding:.42rem .8rem;text-align:left;vertical-align:baseline;white-space:nowrap}
th:first-child,td:first-child{padding-left:.2rem}
th.right,td.right{text-align:right}
thead th{border-bottom:1.5px solid var(--ink);font-weight:650;vertical-align:bottom;white-space:normal;line-height:1.3}
thead th:not(:first-child){max-width:9rem}
tbody tr{border-bottom:1px solid var(--faint)}
tbody tr.group{border-top:1.5px solid var(--quiet)}
tbody tr:hover{background:var(--back)}
td.good{color:var(--good)}
td.bad{color:var(--bad)}
td.muted,td.reason{color:var(--quiet)}
td.strong,td:first-child{font-weight:600}
td.reason{white-space:normal;font-style:italic}
th button{all:unset;cursor:pointer}
th button:hover,th button:focus-visible{color:var(--accent);text-decoration:underline}
th[aria-sort=ascending] button::after{content:" ↑"}
th[aria-sort=descending] button::after{content:" ↓"}
.texts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,18rem),1fr));gap:1rem;margin:1.4rem 0}
.text{border:1px solid var(--faint);border-radius:10px;padding:.85rem 1.05rem;break-inside:avoid;min-width:0}
.text h4{margin:0;font-size:1rem}
.text .same-as{font-size:.82rem;color:var(--quiet);margin:.05rem 0 .55rem}
.text blockquote{margin:0;font:1rem/1.6 var(--serif);white-space:pre-wrap;overflow-wrap:anywhere}
.text .prompt{color:var(--quiet)}
.text mark{background:var(--mark);color:var(--mark-ink);border-radius:3px;padding:.05em .15em}
.text .rest{opacity:.78}
dl.facts{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.6rem;font-size:.93rem;margin:1.2rem 0}
dl.facts dt{color:var(--quiet)}
dl.facts dd{margin:0;overflow-wrap:anywhere}
footer{margin-top:3.5rem;padding-top:1.1rem;border-top:1px solid var(--faint);font-size:.86rem;color:var(--quiet)}
@media print{body{font-size:10.5pt;background:none}main{padding:0;max-width:none}h2,h3{break-after:avoid}nav{display:none}
tr{break-inside:avoid}.scroll,figure{overflow:visible}thead{display:table-header-group}}
)css";
}

std::string_view page_script() {
  return R"js(
document.querySelectorAll('table').forEach(function(table){
  var heads=[].slice.call(table.tHead.rows[0].cells),body=table.tBodies[0];
  heads.forEach(function(head,column){
    var button=document.createElement('button');
    button.type='button';button.title=head.title||'Sort by this column';
    while(head.firstChild)button.appendChild(head.firstChild);
    head.appendChild(button);
    button.addEventListener('click',function(){
      var up=head.getAttribute('aria-sort')!=='ascending';
      heads.forEach(function(other){other.removeAttribute('aria-sort')});
      head.setAttribute('aria-sort',up?'ascending':'descending');
      var key=function(row){var cell=row.cells[column];
        if(!cell||cell.className.indexOf('reason')>=0)return null;
        return cell.dataset.v!==undefined?+cell.dataset.v:cell.textContent};
      [].slice.call(body.rows).map(function(row){row.classList.remove('group');return [key(row),row]})
        .sort(function(a,b){
          if(a[0]===null||b[0]===null)return (a[0]===null)-(b[0]===null);
          var order=typeof a[0]==='number'&&typeof b[0]==='number'?a[0]-b[0]:
            String(a[0]).localeCompare(String(b[0]),undefined,{numeric:true});
          return up?order:-order})
        .forEach(function(pair){body.appendChild(pair[1])});
    });
  });
});
)js";
}

}  // namespace tern::report
