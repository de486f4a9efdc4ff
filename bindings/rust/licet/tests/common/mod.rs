//! Images, and a licetd on a bus of its own, of the programs in the folder that LICET_PROGRAMS names. Everything that a test
//! starts ends with it, by its process id.

#![allow(dead_code)] // Each test file uses its part.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Where licet, licetd and licet-compiler are.
pub fn programs() -> PathBuf {
    let folder = std::env::var_os("LICET_PROGRAMS").expect(
        "LICET_PROGRAMS is not set: these tests need the folder that holds licet, licetd and licet-compiler; \
         bindings/rust/run-tests LIB_DIR PROGRAMS_DIR sets it",
    );
    PathBuf::from(folder)
}

pub fn tests_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

pub fn guard_policy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guard-policy")
}

/// A folder that goes away with it.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Scratch {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("licet-rust-{}-{number}", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        Scratch(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// An image of a policy folder.
pub struct Image {
    pub path: PathBuf,
    scratch: Scratch,
}

impl Image {
    pub fn of(policy: &Path) -> Image {
        let scratch = Scratch::new();
        let path = scratch.path("image");
        let compiled = Command::new(programs().join("licet"))
            .args(["compile".as_ref(), policy, "-o".as_ref(), &path])
            .output()
            .unwrap();
        assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        Image { path, scratch }
    }

    /// Of tests/policy/.
    pub fn new() -> Image {
        Image::of(&tests_folder().join("policy"))
    }

    pub fn open(&self) -> licet::Authority {
        licet::Authority::open(&licet::Options::embedded(&self.path)).unwrap()
    }
}

/// A licetd on a private bus, with a copy of a policy whose operators whoever runs the tests speaks for.
pub struct Rig {
    licetd: Child,
    bus: Child,
    scratch: Scratch,
}

impl Rig {
    pub fn of(policy: &Path) -> Rig {
        let scratch = Scratch::new();
        for name in ["policy/operators.d", "state", "run"] {
            std::fs::create_dir_all(scratch.path(name)).unwrap();
        }
        let address = format!("unix:path={}", scratch.path("bus").display());
        let configuration = format!(
            r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>{address}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy>
</busconfig>"#
        );
        std::fs::write(scratch.path("bus.conf"), configuration).unwrap();
        let log = || std::fs::File::options().append(true).create(true).open(scratch.path("log")).unwrap();
        let bus = Command::new("dbus-daemon")
            .args(["--nofork", "--nopidfile"])
            .arg(format!("--config-file={}", scratch.path("bus.conf").display()))
            .stdin(Stdio::null())
            .stderr(log())
            .spawn()
            .expect("dbus-daemon is wanted");
        waits("the bus", || scratch.path("bus").exists());
        let me = Command::new("id").arg("-un").output().unwrap();
        let me = String::from_utf8(me.stdout).unwrap();
        for file in files_of(policy) {
            let text = std::fs::read_to_string(policy.join(&file)).unwrap();
            let bound =
                text.replacen("layer: operator\n", &format!("layer: operator\nbind: [{{user: {}}}]\n", me.trim()), 1);
            std::fs::write(scratch.path("policy").join(&file), bound).unwrap();
        }
        // Nobody else may write a policy, whatever the umask.
        let closed = Command::new("chmod").args(["-R", "go-w"]).arg(scratch.path("policy")).status().unwrap();
        assert!(closed.success());
        let licetd = Command::new(programs().join("licetd"))
            .args(["--address", &address])
            .arg("--policy")
            .arg(scratch.path("policy"))
            .arg("--state")
            .arg(scratch.path("state"))
            .arg("--runtime")
            .arg(scratch.path("run"))
            .arg("--compiler")
            .arg(programs().join("licet-compiler"))
            .stdin(Stdio::null())
            .stderr(log())
            .spawn()
            .unwrap();
        let rig = Rig { licetd, bus, scratch };
        waits(&format!("licetd, see {}", rig.scratch.path("log").display()), || {
            licet::Authority::open(&rig.snapshot()).is_ok()
        });
        rig
    }

    /// With tests/policy/.
    pub fn new() -> Rig {
        Rig::of(&tests_folder().join("policy"))
    }

    pub fn socket(&self) -> PathBuf {
        self.scratch.path("run/attach")
    }

    pub fn snapshot(&self) -> licet::Options {
        licet::Options::snapshot().path(self.socket()).timeout(Duration::from_secs(5))
    }

    pub fn remote(&self) -> licet::Options {
        licet::Options::remote().path(self.socket()).timeout(Duration::from_secs(5))
    }

    /// Puts another text in the place of one in a policy file, at once.
    pub fn change(&self, file: &str, old: &str, new: &str) {
        let path = self.scratch.path("policy").join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(old), "{file} doesn't say {old:?}");
        let next = self.scratch.path("next");
        std::fs::write(&next, text.replacen(old, new, 1)).unwrap();
        std::fs::rename(&next, &path).unwrap();
    }

    pub fn kill(&mut self) {
        end(&mut self.licetd);
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        end(&mut self.licetd);
        end(&mut self.bus);
    }
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn files_of(policy: &Path) -> Vec<String> {
    let operators = std::fs::read_dir(policy.join("operators.d")).unwrap();
    let names = operators.map(|entry| format!("operators.d/{}", entry.unwrap().file_name().to_string_lossy()));
    names.chain(["platform.yaml".to_string()]).collect()
}

/// Until it is so, for at most ten seconds.
pub fn waits(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !is_so() {
        assert!(Instant::now() < end, "{what}: not within ten seconds");
        std::thread::sleep(Duration::from_millis(5));
    }
}

extern "C" {
    fn fork() -> i32;
    fn waitpid(pid: i32, status: *mut i32, options: i32) -> i32;
    fn _exit(code: i32) -> !;
}

/// What `body` returns in a forked child, as its exit code. It may not panic there: nobody would see it.
pub fn in_child(body: impl FnOnce() -> u8) -> i32 {
    // SAFETY: the child runs `body` and ends without running anything of the test harness.
    unsafe {
        let child = fork();
        assert!(child >= 0, "fork: {}", std::io::Error::last_os_error());
        if child == 0 {
            _exit(body().into());
        }
        let mut status = 0;
        assert_eq!(waitpid(child, &mut status, 0), child);
        assert_eq!(status & 0x7f, 0, "the child was killed by signal {}", status & 0x7f);
        status >> 8
    }
}
