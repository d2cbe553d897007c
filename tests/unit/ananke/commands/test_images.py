"""Images: build, save, load, and update with the way back."""

from __future__ import annotations

import hashlib

import pytest

from ananke.templates import set_values
from tests.support.fake_host import NEW, OLD

pytestmark = pytest.mark.slow


@pytest.fixture
def images(host):
    """Two images to be built, the second from the first."""
    for name, text in {
        "ananke-base": "ARG BASE=docker.io/library/debian:trixie-slim\nFROM ${BASE}\n",
        "ananke-nbgrader": "ARG X=localhost/ananke-base:latest\nFROM ${X} AS tools\n",
        "test-moodle": "FROM docker.io/library/debian:trixie-slim AS x\nFROM x\n",
    }.items():
        folder = host.root / "images" / name
        folder.mkdir(parents=True)
        (folder / "Containerfile").write_text(text)
    return host.root / "images"


def test_build_in_order(host, images, ananke):
    """What an image is made from is built before it, with the same arguments."""
    ended = ananke(
        "build", "ananke-nbgrader", "--build-arg", "CONDA=0", "--podman-arg=--volume=/ca:/ca:ro",
        "--json",
    )  # fmt: skip
    assert ended.code == 0, ended
    assert [image["name"] for image in ended.json["images"]] == ["ananke-base", "ananke-nbgrader"]
    for call in host.called("podman", "build"):
        assert "--build-arg=CONDA=0" in call
        assert "--volume=/ca:/ca:ro" in call
        assert call[-1] == str(host.root)


def test_prune(host, images, ananke):
    """``--prune`` removes images without a name, and says which; alone it builds nothing."""
    host.change(dangling=["d" * 64, "e" * 64])
    ended = ananke("build", "--prune", "--json")
    assert ended.json == {"images": [], "removed": ["d" * 64, "e" * 64]}
    assert not host.called("podman", "build")
    ended = ananke("build", "ananke-base", "--prune")
    assert "ananke-base" in ended.out
    assert (
        f"Removed 2 images without a name that nothing used: {'d' * 12}, {'e' * 12}." in ended.out
    )


def test_build_alone(host, images, ananke):
    """``--alone`` builds what was named, without a cache if so asked."""
    assert ananke("build", "ananke-nbgrader", "--alone", "--no-cache").code == 0
    [call] = host.called("podman", "build")
    assert "--tag=ananke-nbgrader" in call
    assert "--no-cache" in call


def test_build_shows_podmans_words(host, images, ananke):
    """A person sees what podman says on standard error, and the outcome on standard output."""
    ended = ananke("build", "test-moodle")
    assert "STEP 1/1" in ended.err
    assert "test-moodle" in ended.out
    assert "STEP" not in ended.out


@pytest.mark.parametrize(
    ("argv", "code"),
    [(["no-such"], 12), (["ananke-base", "--build-arg", "CONDA"], 2), ([], 2)],
)
def test_build_refusals(host, images, ananke, argv, code):
    """What cannot be built is told before podman is run."""
    assert ananke("build", *argv, "--json").code == code
    assert not host.called("podman", "build")


def test_build_fails(host, images, ananke):
    """Podman's own words end the message."""
    host.fail("podman build", "Error: no space left on device")
    ended = ananke("build", "ananke-base", "--json")
    assert ended.code == 11
    assert "no space left" in ended.json["error"]["details"]
    assert "podman image prune" in ended.json["error"]["hint"]


def test_build_asks(host, images):
    """At a terminal the image is asked for."""
    ended = host.terminal("build", "--dry-run", answers=[("Which image", "ananke-base")])
    assert ended.code == 0
    assert "--tag=ananke-base" in ended.out


def test_save_and_load(host, ananke, tmp_path):
    """A saved image has its checksum beside it, by which it can be loaded."""
    file = tmp_path / "image.tar"
    saved = ananke("save", "ananke-base", "--output", str(file), "--json")
    assert saved.code == 0
    assert saved.json["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (tmp_path / "image.tar.sha256").read_text() == f"{saved.json['sha256']}  image.tar\n"
    loaded = ananke("load", str(file), "--json")
    assert loaded.code == 0
    assert loaded.json["images"] == ["ananke-base:latest"]


def test_nothing_unverified_is_loaded(host, ananke, tmp_path):
    """Without a checksum, or with another, podman never sees the file."""
    file = tmp_path / "image.tar"
    file.write_bytes(b"image evil")
    unknown = ananke("load", str(file), "--json")
    assert unknown.code == 15
    assert "is unknown" in unknown.json["error"]["message"]
    assert ananke("load", str(file), "--sha256", "0" * 64, "--json").code == 15
    assert ananke("load", str(file), "--sha256", "short", "--json").code == 2
    (tmp_path / "image.tar.sha256").write_text(f"{'0' * 64}  image.tar\n")
    assert ananke("load", str(file), "--json").code == 15
    (tmp_path / "image.tar.sha256").write_text("nothing of use\n")
    assert ananke("load", str(file), "--json").code == 15
    assert ananke("load", str(tmp_path / "none.tar"), "--json").code == 12
    assert ananke("load", str(file), "--checksum-file", "none", "--json").code == 12
    assert not host.called("podman", "load")


def test_checksum_of_a_list(host, ananke, tmp_path):
    """A list of checksums of several files is understood, and a given one goes before."""
    file = tmp_path / "image.tar"
    file.write_bytes(b"image mine")
    digest = hashlib.sha256(b"image mine").hexdigest()
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  other.tar\n{digest} *image.tar\n")
    listed = ananke("load", str(file), "--checksum-file", str(tmp_path / "SHA256SUMS"), "--json")
    assert listed.code == 0
    assert ananke("load", str(file), "--sha256", digest.upper(), "--json").code == 0


def test_save_refusals(host, ananke, tmp_path):
    """An unknown image and a file that exists are refused; a failure leaves no half file."""
    (tmp_path / "there.tar").touch()
    assert ananke("save", "no-such", "--json").code == 12
    missing = ananke("save", "ananke-base", "-o", str(tmp_path / "none" / "new.tar"), "--json")
    assert missing.code == 12
    assert "There is no folder" in missing.json["error"]["message"]
    assert ananke("save", "ananke-base", "-o", str(tmp_path / "there.tar"), "--json").code == 13
    host.fail("podman save", "Error: broken")
    assert ananke("save", "ananke-base", "-o", str(tmp_path / "new.tar"), "--json").code == 11
    assert sorted(path.name for path in tmp_path.glob("*.tar*")) == ["there.tar"]


def test_update_writes_the_definition(host, created, ananke):
    """The image of the last update is in the definition; another one there is named."""
    host.change(images={**host.state["images"], "localhost/ananke-nbgrader:latest": NEW})
    assert ananke("update", "bio", "--image", "ananke-nbgrader").code == 0
    assert "config['image_name'] = 'ananke-nbgrader'" in (created / "config.py").read_text()
    set_values(created / "config.py", {"image_name": "ananke-base"})
    ended = ananke("update", "bio")
    assert ended.code == 0
    assert "already runs on ananke-nbgrader" in ended.out
    assert "ananke update bio --image ananke-base" in ended.out


def test_save_and_load_dry_run(host, ananke, tmp_path):
    """A dry run writes and loads nothing."""
    assert ananke("save", "ananke-base", "-n", "--json").json["steps"][0].startswith("podman save")
    file = tmp_path / "image.tar"
    file.write_bytes(b"image mine")
    digest = hashlib.sha256(b"image mine").hexdigest()
    assert ananke("load", str(file), "--sha256", digest, "-n", "--json").json["steps"] == [
        "podman load"
    ]
    assert not host.called("podman", "load")


@pytest.fixture
def newer(host, created):
    """A newer image under the same name, as a build leaves it."""
    host.change(images={**host.state["images"], "localhost/ananke-base:latest": NEW})


def test_update(host, newer, ananke):
    """The container runs on the new image, and the old one is kept by a name."""
    ended = ananke("update", "bio", "--json")
    assert ended.code == 0, ended
    assert ended.json["changed"]
    images = host.state["images"]
    assert images["localhost/ananke-hub/bio:current"] == NEW
    assert images["localhost/ananke-hub/bio:previous"] == OLD
    assert host.state["containers"]["bio"]["Image"] == NEW


@pytest.mark.parametrize("trouble", ["silent", "never_start"])
def test_update_goes_back(host, newer, ananke, trouble):
    """Where the hub does not come up on the new image, the old one runs again by itself."""
    host.change(**{trouble: [NEW]}, journal="the new image's trouble")
    ended = ananke("update", "bio", "--wait", "1", "--json")
    assert ended.code == 17
    assert "The old image runs again" in ended.json["error"]["message"]
    assert "the new image's trouble" in ended.json["error"]["details"]
    assert host.state["images"]["localhost/ananke-hub/bio:current"] == OLD
    assert "localhost/ananke-hub/bio:previous" not in host.state["images"]
    assert host.answers("bio")


def test_failed_update_keeps_the_image_before(host, newer, ananke):
    """The previous image stays the last that worked before this one, however often one fails."""
    assert ananke("update", "bio").code == 0
    broken = "sha256:" + "3" * 64
    host.change(
        images={**host.state["images"], "localhost/broken:latest": broken}, never_start=[broken]
    )
    for _ in range(2):
        assert ananke("update", "bio", "--image", "broken", "--wait", "1").code == 17
        images = host.state["images"]
        assert images["localhost/ananke-hub/bio:current"] == NEW
        assert images["localhost/ananke-hub/bio:previous"] == OLD


def test_update_neither_comes_up(host, newer, ananke):
    """Where the old image does not come up any more either, both are told."""
    host.change(never_start=[NEW, OLD])
    ended = ananke("update", "bio", "--json")
    assert ended.code == 14
    assert "neither" in ended.json["error"]["message"]


def test_nothing_to_update(host, created, ananke):
    """The same image restarts nothing."""
    before = len(host.called("systemctl", "--user", "restart"))
    ended = ananke("update", "bio", "--json")
    assert ended.code == 0
    assert not ended.json["changed"]
    assert len(host.called("systemctl", "--user", "restart")) == before
    assert "already" in ananke("update", "bio").out


def test_update_to_another_image(host, created, ananke):
    """Another image can be named, and is then the container's."""
    host.change(images={**host.state["images"], "localhost/mine:latest": NEW})
    assert ananke("update", "bio", "--image", "mine", "--json").code == 0
    assert ananke("status", "bio", "--json").json["image"] == "mine"
    assert ananke("update", "bio", "--image", "none", "--json").code == 12


def test_update_dry_run(host, newer, ananke):
    """A dry run moves no tag."""
    steps = ananke("update", "bio", "--dry-run", "--json").json["steps"]
    assert f"podman tag {OLD} localhost/ananke-hub/bio:previous" in steps
    assert host.state["images"]["localhost/ananke-hub/bio:current"] == OLD
