package keystore

import "testing"

const table = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
87 22 0:45 / /etc/carnet rw,relatime - tmpfs tmpfs rw
88 22 8:1 /var/lib/kubelet/pods/1/volume-subpaths/ring/app/0 /app/ring.json ro,relatime - ext4 /dev/sda1 rw
89 22 8:1 /home/x /srv/my\040ring.json ro,relatime - ext4 /dev/sda1 rw
`

func TestMountPoints(t *testing.T) {
	for path, want := range map[string]bool{
		"/app/ring.json":         true,
		"/srv/my ring.json":      true,
		"/etc/carnet/ring.json":  false,
		"/app/ring.json.lock":    false,
		"/app":                   false,
		"/etc/carnet/..data/sub": false,
	} {
		if mounted(table, path) != want {
			t.Errorf("%s: want %v", path, want)
		}
	}
	if isMountPoint(t.TempDir() + "/ring.json") {
		t.Error("a file in a temporary directory")
	}
}
