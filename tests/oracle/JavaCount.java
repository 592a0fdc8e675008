// SPDX-License-Identifier: GPL-3.0-or-later
//
// What Java finds in a JUnit file: first dom4j, with which Jenkins reads, then
// the parser of Maven's Surefire reports; each in the form of junit-count.
import java.io.File;
import java.util.List;
import org.apache.maven.plugin.surefire.log.api.NullConsoleLogger;
import org.apache.maven.plugins.surefire.report.ReportTestCase;
import org.apache.maven.plugins.surefire.report.ReportTestSuite;
import org.apache.maven.plugins.surefire.report.TestSuiteXmlParser;
import org.dom4j.Element;
import org.dom4j.io.SAXReader;

class JavaCount {
	static int tests, failures, errors, skipped;

	static void print(String reader) {
		System.out.println(reader + " tests=" + tests + " failures=" + failures
			+ " errors=" + errors + " skipped=" + skipped);
		tests = failures = errors = skipped = 0;
	}

	// As Jenkins' SuiteResult: whatever holds a testcase is a suite.
	static void dom4j(Element at) {
		for (Element suite : at.elements("testsuite"))
			dom4j(suite);
		for (Element test : at.elements("testcase")) {
			tests++;
			if (test.element("skipped") != null)
				skipped++;
			else if (test.element("error") != null)
				errors++;
			else if (test.element("failure") != null)
				failures++;
		}
	}

	public static void main(String[] file) throws Exception {
		SAXReader reader = new SAXReader();
		reader.setFeature("http://xml.org/sax/features/external-general-entities", false);
		dom4j(reader.read(new File(file[0])).getRootElement());
		print("dom4j");

		List<ReportTestSuite> suites =
			new TestSuiteXmlParser(new NullConsoleLogger()).parse(file[0]);
		for (ReportTestSuite suite : suites) {
			for (ReportTestCase test : suite.getTestCases()) {
				tests++;
				if (test.hasSkipped())
					skipped++;
				else if (test.hasError())
					errors++;
				else if (test.hasFailure())
					failures++;
			}
		}
		print("surefire");
	}
}
