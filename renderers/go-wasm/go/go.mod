module mooring.dev/gowasm

go 1.26.0
