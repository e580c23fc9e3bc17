# Makes what wasm2c 1.0.32 wrote note the pages that it writes to, and yield: a step at each function's beginning and behind each loop's label, which ends in a blank ("w2c_L0: ";
# the labels of other blocks lie ahead of every jump to them). A jump back to a label without a step would be an endless loop that nobody
# can cancel, so such a file is refused.
/^}/ { split("", passed); split("", stepped) }
/^#define FUNC_PROLOGUE$/ { print $0 " SHOAL_WASM_ENTER"; prologues++; next }
/^    t1 wrapped = \(t1\)value; / { sub(/t1 wrapped/, "SHOAL_WASM_WRITE(addr); t1 wrapped"); stores++ } # of DEFINE_STORE, behind its check
/^ *w2c_[A-Za-z0-9_]+: $/ {
  label = $1
  sub(/:$/, "", label)
  stepped[label] = 1
  sub(/ $/, " SHOAL_WASM_STEP;")
  print
  next
}
/^ *w2c_[A-Za-z0-9_]+:;/ {
  label = $1
  sub(/:.*/, "", label)
  passed[label] = 1
}
/goto w2c_/ {
  rest = $0
  while (match(rest, /goto w2c_[A-Za-z0-9_]+/)) {
    label = substr(rest, RSTART + 5, RLENGTH - 5)
    if (label in passed) { failed = label; exit }
    rest = substr(rest, RSTART + RLENGTH)
  }
}
/^ *(funcref|externref)_table_(fill|init)\(&instance/ { print; print "  SHOAL_WASM_SPEND;"; next }
{ print }
END {
  if (failed != "") { print "a loop at the label " failed " has no step" >"/dev/stderr"; exit 1 }
  if (prologues != 1 || stores != 2) { print "this is not what wasm2c 1.0.32 writes" >"/dev/stderr"; exit 1 }
}
