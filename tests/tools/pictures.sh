#!/bin/bash
# pictures.sh: draws the three pictures of the README, tests/data/pictures/*.svg, from the reporting views of the demo (make start; . .run/demo.env).
# Needs gnuplot (Debian's gnuplot-nox), which nothing else here does.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${PGHOST:?start the demo and source its demo.env}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
rows() {
	psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -c "SET search_path = report_acme" -c "$2" > "$dir/$1"
}
draw() {
	gnuplot -e "set terminal svg noenhanced size 760,400 font 'sans-serif,13' background '#ffffff'; set output 'tests/data/pictures/$1.svg'; set style data lines; set border 3; set tics nomirror; set datafile missing '-'; set key outside bottom center horizontal" -
}

rows rates "SELECT month, COALESCE(trir_12m::text, '-'), COALESCE(dart_12m::text, '-'), COALESCE(ltifr_12m / 5, 0) FROM kpi_rates WHERE establishment_id IS NULL AND month > now() - interval '12 months' ORDER BY 1"
draw report-rates <<-PLOT
	set title "kpi_rates: all establishments, twelve months to each"
	set xdata time; set timefmt "%Y-%m-%d"; set format x "%b %y"; set xtics 5270400; set yrange [0:*]; set ylabel "cases per 200,000 hours"
	plot "$dir/rates" using 1:2 lw 3 lc rgb "#b3261e" title "TRIR", "" using 1:3 lw 3 lc rgb "#1f4e8c" title "DART", "" using 1:4 lw 3 lc rgb "#6b7280" dt 2 title "lost time"
PLOT

rows heatmap "SELECT severity, likelihood, score, assessments FROM risk_heatmap ORDER BY likelihood, severity"
draw report-heatmap <<-PLOT
	set title "risk_heatmap: residual risk of assessments in force, by cell"
	set xlabel "severity"; set ylabel "likelihood"; set xrange [0.5:5.5]; set key off; set yrange [0.5:5.5]; set xtics 1; set ytics 1; unset colorbox
	set palette defined (1 "#8fc88f", 4 "#8fc88f", 5 "#f4e285", 9 "#f4e285", 10 "#f2a65a", 16 "#f2a65a", 17 "#d9534f", 25 "#d9534f"); set cbrange [1:25]
	plot "$dir/heatmap" using 1:2:3 with image pixels, "" using 1:2:4 with labels font ",20"
PLOT

rows leading "SELECT month, near_miss_rate, COALESCE(inspections_on_time::text, '-') FROM leading_lagging WHERE month > now() - interval '12 months' AND hours IS NOT NULL ORDER BY 1"
draw report-leading <<-PLOT
	set title "leading_lagging: near misses told, and inspections by their day"
	set xdata time; set timefmt "%Y-%m-%d"; set format x "%b %y"; set xtics 5270400; set ylabel "near misses per 200,000 hours"; set y2label "inspections on time, %"; set yrange [0:*]; set y2range [0:100]; set y2tics; set border 11
	set boxwidth 1500000; set style fill solid 0.7
	plot "$dir/leading" using 1:2 with boxes lc rgb "#7aa6d6" title "near misses", "" using 1:3 axes x1y2 with linespoints lw 3 pt 7 ps 0.5 lc rgb "#1b7f4b" title "inspections on time"
PLOT
