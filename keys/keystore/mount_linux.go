package keystore

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// isMountPoint reports whether something is mounted at the file itself. See
// proc_pid_mountinfo(5).
func isMountPoint(path string) bool {
	abs, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		abs = real
	}
	table, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false
	}
	return mounted(string(table), abs)
}

func mounted(table, path string) bool {
	for line := range strings.Lines(table) {
		if fields := strings.Fields(line); len(fields) > 4 && unescape.Replace(fields[4]) == path {
			return true
		}
	}
	return false
}

var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

func changeTime(info fs.FileInfo) syscall.Timespec {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Ctim
	}
	return syscall.Timespec{}
}
