module mooring.local/e2e/cluster/web

go 1.26.0
