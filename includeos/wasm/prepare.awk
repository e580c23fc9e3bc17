# Makes what wasm2c 1.0.32 wrote note the pages that it writes to, and yield: a step at each function's beginning and behind each loop's
# label, which ends in a blank ("w2c_L0: "; the labels of other blocks lie ahead of every jump to them). A jump back to a label without a
# step would be an endless loop that nobody can cancel, so such a file is refused.
#
# With -v calls=loops only functions that have loops count their calls. That is for the engine, which calls small functions without end: its
# only recursion without a loop is as deep as its stack, and never branches.
/^}/ { split("", passed); split("", stepped); leave_function() }
calls == "loops" && /^  FUNC_PROLOGUE;$/ { is_held = 1; has_loop = 0; held = ""; next }
function leave_function() {
  if (!is_held) return
  printf "  %s;\n%s", has_loop ? "FUNC_PROLOGUE" : "SHOAL_WASM_ENTER_UNCOUNTED", held
  is_held = 0
  held = ""
}
function put(line) { if (is_held) held = held line "\n"; else print line }
/^#define FUNC_PROLOGUE$/ { print $0 " SHOAL_WASM_ENTER"; prologues++; next }
/^    t1 wrapped = \(t1\)value; / { sub(/t1 wrapped/, "SHOAL_WASM_WRITE(addr); t1 wrapped"); stores++ } # of DEFINE_STORE, behind its check
/^ *w2c_[A-Za-z0-9_]+: $/ {
  label = $1
  sub(/:$/, "", label)
  stepped[label] = 1
  sub(/ $/, " SHOAL_WASM_STEP;")
  has_loop = 1
  put($0)
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
/^ *(funcref|externref)_table_(fill|init)\(&instance/ { put($0); put("  SHOAL_WASM_SPEND;"); next }
{ put($0) }
END {
  if (failed != "") { print "a loop at the label " failed " has no step" >"/dev/stderr"; exit 1 }
  if (prologues != 1 || stores != 2) { print "this is not what wasm2c 1.0.32 writes" >"/dev/stderr"; exit 1 }
}
