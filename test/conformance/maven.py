"""Brings what a suite's pom.xml names into build-peers/SUITE-VERSION, once, when Maven is there."""
import glob
import os
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SUITES = os.path.join(ROOT, "test", "conformance")
MAVEN_SECONDS_MAX = 240


def libraries(suite, version):
    return os.path.join(ROOT, "build-peers", "%s-%s" % (suite, version))


def missing(suite, version):
    """Why the suite cannot run here, or None when its libraries are there and its Java compiled."""
    sources = glob.glob(os.path.join(SUITES, suite, "*.java"))
    for program in ("java", "mvn") + (("javac",) if sources else ()):
        if not shutil.which(program):
            return program + " is not installed; Java 17 and Maven are for this check only"
    folder = libraries(suite, version)
    if not os.path.isdir(folder):
        why = fetch(suite, version, folder + ".part")
        if why:
            return why
        os.rename(folder + ".part", folder)
    return compile_into(folder, sources) if sources else None


def fetch(suite, version, folder):
    try:
        done = subprocess.run(
            ["mvn", "-q", "-B", "-f", os.path.join(SUITES, suite, "pom.xml"),
             "-Dkafka.version=" + version, "-DoutputDirectory=" + folder,
             "dependency:copy-dependencies"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=MAVEN_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return "mvn did not bring version %s in %d s" % (version, MAVEN_SECONDS_MAX)
    if done.returncode == 0:
        return None
    return "mvn failed: " + " ".join((done.stdout + done.stderr).split())[-300:]


def compile_into(folder, sources):
    done = subprocess.run(["javac", "-nowarn", "-Xlint:-deprecation", "-Xlint:-removal", "-d",
                           os.path.join(folder, "classes"), "-cp", os.path.join(folder, "*"),
                           *sources], capture_output=True, text=True)
    return None if done.returncode == 0 else "javac failed: " + done.stderr[-600:]
